package datadir

import (
	"fmt"
	"testing"

	"ottla/internal/sim"
	"ottla/internal/vfs"
)

// The first start may be cut at any operation, by a kill or a power cut: the
// next one begins anew or goes on with the same identity, and once Open has
// returned the identity stays whatever comes.
func TestFirstStartSurvivesEveryCut(t *testing.T) {
	d := sim.NewDisk(1)
	points := 0
	d.OnOp(func(op sim.Op) sim.Action {
		points++
		for style := sim.Nothing; style <= sim.Garbage; style++ {
			c := d.Clone(uint64(points)*10 + uint64(style))
			c.CrashWith(style)
			c.Restart()
			reopened(t, fmt.Sprintf("power cut before %v, style %d", op, style), c, nil)
		}
		c := d.Clone(uint64(points))
		c.Kill()
		c.Restart()
		was := reopened(t, fmt.Sprintf("kill before %v", op), c, nil)
		c.CrashWith(sim.Nothing)
		c.Restart()
		reopened(t, fmt.Sprintf("kill before %v, start, power cut", op), c, was)
		return sim.Action{}
	})
	made, err := Open(d, "/var/ottla", anyOne())
	if err != nil {
		t.Fatal(err)
	}
	d.OnOp(nil)
	if points < 10 {
		t.Errorf("only %d operations", points)
	}
	d.CrashWith(sim.Nothing)
	d.Restart()
	reopened(t, "power cut after Open", d, made)
}

// reopened opens the directory again; want, if any, is the identity it has.
func reopened(t *testing.T, what string, f vfs.FS, want *Dir) *Dir {
	t.Helper()
	d, err := Open(f, "/var/ottla", anyOne())
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if want != nil && (d.Fresh || d.ClusterID != want.ClusterID || d.NodeID != want.NodeID || d.DirectoryID != want.DirectoryID) {
		t.Fatalf("%s: it is now %+v, was %+v", what, d, want)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

// On a disk without inode numbers the clone guard rests and all else holds.
func TestDiskWithoutInodes(t *testing.T) {
	f := vfs.NewMem(0)
	for range 2 {
		d, err := Open(f, "/data", Options{ClusterID: "C", NodeID: 3, NewID: ids()})
		if err != nil {
			t.Fatal(err)
		}
		refused(t, f, "/data", anyOne(), InUse)
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, f, "/data", Options{NodeID: 4}, OtherNode)
}

// A full or failing disk at the first start is a refusal, and the next start
// finds nothing in its way.
func TestEveryFailureAtTheFirstStartIsARefusal(t *testing.T) {
	for at := 1; ; at++ {
		d := sim.NewDisk(uint64(at))
		n, hit := 0, ""
		d.OnOp(func(op sim.Op) sim.Action {
			if n++; n == at {
				hit = op.String()
				return sim.Action{Err: errDisk}
			}
			return sim.Action{}
		})
		made, err := Open(d, "/var/ottla", anyOne())
		d.OnOp(nil)
		if hit == "" {
			return
		}
		if err == nil {
			made.Close()
		} else if _, ok := err.(*Refused); !ok {
			t.Errorf("failed %s: %T %v, want a *Refused", hit, err, err)
		}
		reopened(t, "after failed "+hit, d, nil)
	}
}
