package devnodes

import (
	"fmt"
	"net"
	"strconv"
)

// portsTried is how many ports after the first are looked at for each node.
const portsTried = 100

// FreePorts finds ports of a host that are free now, from one on upwards.
func FreePorts(host string, from, count int) ([]int, error) {
	var out []int
	for port := from; port < from+portsTried && port < 1<<16; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil {
			continue // taken
		}
		if err := l.Close(); err != nil {
			return nil, fmt.Errorf("look for free ports: %w", err)
		}
		if out = append(out, port); len(out) == count {
			return out, nil
		}
	}
	return nil, fmt.Errorf("there are no %d free ports between %d and %d of %s", count, from, from+portsTried-1, host)
}
