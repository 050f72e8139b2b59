package replicas

import (
	"testing"

	"ottla"
	"ottla/test/rig/trio"
)

// startFaulty starts a cluster whose third node's disk can be filled.
func startFaulty(t *testing.T) (*cluster, *ottla.Faults) {
	t.Helper()
	faults := new(ottla.Faults)
	return startWith(t, trio.Options{
		Settings: map[string]string{"min.insync.replicas": "2", "replica.lag.time.max.ms": "3600000"},
		Faults:   map[int]*ottla.Faults{3: faults},
	}), faults
}

// TestAFollowerWithAFullDiskHoldsUpNoWrites: the others are enough, and it is in sync
// again once it has room. That it lags would be noticed after an hour only.
func TestAFollowerWithAFullDiskHoldsUpNoWrites(t *testing.T) {
	c, faults := startFaulty(t)
	c.create("held", nil, 1, 2, 3)
	c.produce("held", 0, 20, 100)
	c.inSync("held", 1, 2, 3)
	for round := range 2 {
		from := 20 + 40*round
		faults.FullDisk(true)
		c.produce("held", from, 20, 100)
		c.inSync("held", 1, 2)
		c.produce("held", from+20, 20, 100)
		if faults.Met().Full == 0 {
			t.Error("the disk was never found full")
		}
		faults.FullDisk(false)
		c.inSync("held", 1, 2, 3)
	}
	c.consume("held", 0, 100, 100)
}

// TestALeaderWithAFullDiskGivesItsLeadAway: so writes go on, and it is in sync again
// once it has room.
func TestALeaderWithAFullDiskGivesItsLeadAway(t *testing.T) {
	c, faults := startFaulty(t)
	c.create("yielded", nil, 3, 1, 2)
	c.produce("yielded", 0, 20, 100)
	c.inSync("yielded", 1, 2, 3)
	faults.FullDisk(true)
	c.produce("yielded", 20, 20, 100)
	c.await("another than node 3 leads", func() bool { return c.partition("yielded").Leader != 3 }) // node 3 has no room to hear of it
	faults.FullDisk(false)
	c.inSync("yielded", 1, 2, 3)
	c.prefer("yielded")
	c.produce("yielded", 40, 20, 100)
	c.consume("yielded", 0, 60, 100)
}
