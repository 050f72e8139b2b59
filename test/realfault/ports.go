package realfault

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
)

// Ports that outgoing connections get by themselves lie above highPort: a client
// that tries to reach a node that is down might get that very port, connect to
// itself, and keep the node from coming back.
const (
	lowPort  = 20_000
	highPort = 32_000
	// blockPorts are the ports of a block, and mostBlocks the blocks that one program
	// takes: what it may have in use at a time, while it leaves room for others.
	blockPorts = 100
	mostBlocks = 8
)

// chooser gives out ports of blocks that no other chooser of this machine has. It
// listens on the first port of each for as long as its program runs, so the kernel
// keeps others from the block, and gives it back however the program ends.
type chooser struct {
	mu     sync.Mutex // guards what follows
	blocks []net.Listener
	given  int // ports of the blocks that were looked at, in this round
}

// ports are this program's.
var ports chooser

// FreePorts finds ports of the loopback address that are free now, and that
// nothing takes by chance while a node is down: neither a client nor another program
// that asks here. No port is given out twice before all
// others of the program's blocks were.
func FreePorts(count int) ([]int, error) { return ports.free(count) }

func (c *chooser) free(count int) ([]int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []int
	for range mostBlocks * blockPorts {
		port, err := c.next()
		if err != nil {
			return nil, fmt.Errorf("find free ports: %w", err)
		}
		if slices.Contains(out, port) {
			break // all round, and too few
		}
		l, err := listen(port)
		if err != nil {
			continue // taken: by a node that still runs, or by who asks nobody
		}
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("find free ports: %w", err)
		}
		if out = append(out, port); len(out) == count {
			return out, nil
		}
	}
	return nil, fmt.Errorf("there are no %d free ports among %d blocks of %d", count, len(c.blocks), blockPorts)
}

// next is the next port of the blocks, which grow by one when all were looked at, and
// are gone through again when they cannot. The caller holds mu.
func (c *chooser) next() (int, error) {
	const each = blockPorts - 1 // all but the one that is listened on
	if c.given == len(c.blocks)*each {
		if err := c.grow(); err != nil && len(c.blocks) == 0 {
			return 0, err
		} else if err != nil {
			c.given = 0
		}
	}
	first := c.blocks[c.given/each].Addr().(*net.TCPAddr).Port
	port := first + 1 + c.given%each
	c.given++
	return port, nil
}

// grow takes the next block that nobody has. Programs begin to look in different
// places, so that none follows at once where another has just ended. The caller holds mu.
func (c *chooser) grow() error {
	if len(c.blocks) == mostBlocks {
		return errors.New("it has all the blocks that one program may have")
	}
	const count = (highPort - lowPort) / blockPorts
	for i := range count {
		if l, err := listen(lowPort + (os.Getpid()+i)%count*blockPorts); err == nil {
			c.blocks = append(c.blocks, l)
			return nil
		}
	}
	return fmt.Errorf("every block of %d ports from %d to %d is another program's", blockPorts, lowPort, highPort)
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
}
