package realfault

import (
	"net"
	"strconv"
	"testing"
)

func TestNoPortIsGivenOutTwiceOrLiesWhereClientsGetTheirs(t *testing.T) {
	seen := map[int]bool{}
	for range 20 {
		ports, err := FreePorts(3)
		if err != nil || len(ports) != 3 {
			t.Fatalf("got %v, %v", ports, err)
		}
		for _, p := range ports {
			if seen[p] || p < lowPort || p >= highPort {
				t.Errorf("port %d is given out again, or not between %d and %d", p, lowPort, highPort)
			}
			seen[p] = true
		}
	}
}

func TestATakenPortIsPassedOver(t *testing.T) {
	ports, err := FreePorts(1)
	if err != nil {
		t.Fatal(err)
	}
	next := ports[0] + 1
	if next == highPort {
		next = lowPort
	}
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(next))
	if err != nil {
		t.Logf("%d is taken by somebody else, which is as good: %v", next, err)
	} else {
		defer l.Close()
	}
	again, err := FreePorts(1)
	if err != nil || again[0] == next {
		t.Errorf("got %v, %v, and %d is taken", again, err, next)
	}
}
