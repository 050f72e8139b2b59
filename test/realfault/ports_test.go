package realfault

import (
	"slices"
	"testing"
)

// asking has a chooser of its own, as another program would, and gives back its
// blocks at the end.
func asking(t *testing.T) *chooser {
	c := &chooser{}
	t.Cleanup(func() {
		for _, l := range c.blocks {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return c
}

func give(t *testing.T, c *chooser, count int) []int {
	t.Helper()
	ports, err := c.free(count)
	if err != nil || len(ports) != count {
		t.Fatalf("asked for %d: got %v, %v", count, ports, err)
	}
	return ports
}

// Two programs that ask in turn, and go to further blocks at the same places, get no
// port that the other has, whether it is listened on by now or not.
func TestNoPortIsGivenOutTwiceOrLiesWhereClientsGetTheirs(t *testing.T) {
	one, other, seen := asking(t), asking(t), map[int]bool{}
	for range blockPorts {
		for _, c := range []*chooser{one, other} {
			for _, p := range give(t, c, 3) {
				if seen[p] || p < lowPort || p >= highPort {
					t.Errorf("port %d is given out again, or not between %d and %d", p, lowPort, highPort)
				}
				seen[p] = true
			}
		}
	}
}

func TestATakenPortIsPassedOver(t *testing.T) {
	c := asking(t)
	next := give(t, c, 1)[0] + 1
	l, err := listen(next)
	if err != nil {
		t.Logf("%d is taken by somebody else, which is as good: %v", next, err)
	} else {
		defer l.Close()
	}
	if again := give(t, c, 1); again[0] == next {
		t.Errorf("got %v, and %d is taken", again, next)
	}
}

// A program that runs for long gets ports again that it has had, and leaves blocks
// to others.
func TestPortsComeRoundAgain(t *testing.T) {
	c := asking(t)
	first := give(t, c, 1)[0]
	for range mostBlocks {
		if slices.Contains(give(t, c, blockPorts), first) {
			return
		}
	}
	t.Errorf("%d did not come again, and %d blocks are taken", first, len(c.blocks))
}

func TestThereAreOnlySoManyPorts(t *testing.T) {
	if got, err := asking(t).free(mostBlocks * blockPorts); err == nil {
		t.Errorf("got %d ports of %d blocks", len(got), mostBlocks)
	}
}
