package realfault

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"sync"
)

// Ports that outgoing connections get by themselves lie above highPort: a client
// that tries to reach a node that is down might get that very port, connect to
// itself, and keep the node from coming back.
const (
	lowPort  = 20_000
	highPort = 32_000
)

// handed are the ports that were given out, and where to look next.
var handed struct {
	mu   sync.Mutex // guards next
	next int
}

// FreePorts finds ports of the loopback address that are free now, and that
// nothing takes by chance while a node is down. No port is given out twice, and
// programs that run side by side begin to look in different places.
func FreePorts(count int) ([]int, error) {
	handed.mu.Lock()
	defer handed.mu.Unlock()
	if handed.next == 0 {
		handed.next = lowPort + os.Getpid()*97%(highPort-lowPort)
	}
	var out []int
	for range highPort - lowPort {
		port := handed.next
		if handed.next++; handed.next == highPort {
			handed.next = lowPort
		}
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue // taken
		}
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("find free ports: %w", err)
		}
		if out = append(out, port); len(out) == count {
			return out, nil
		}
	}
	return nil, errors.New("there are too few free ports between " + strconv.Itoa(lowPort) + " and " + strconv.Itoa(highPort))
}
