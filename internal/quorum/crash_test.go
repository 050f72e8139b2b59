package quorum

import (
	"errors"
	"fmt"
	"testing"

	"ottla/internal/sim"
)

// script is a life of a node with everything in it that writes: founding,
// commands one by one and several in a turn, snapshots, a clean stop and a
// second start. told is called after every acknowledged creation.
func script(t testing.TB, d *sim.Disk, told func(n int)) error {
	r, err := openRig(t, d, 1500)
	if err != nil {
		return err
	}
	create1 := func(ns ...int) error {
		var cmds []any
		for _, n := range ns {
			cmds = append(cmds, create{n})
		}
		for i, a := range r.turn(cmds...) {
			if a.err != nil {
				return a.err
			}
			told(ns[i])
		}
		return nil
	}
	for n := 0; n < 24; n += 4 {
		if err := create1(n); err != nil {
			return err
		}
		if err := create1(n+1, n+2, n+3); err != nil {
			return err
		}
	}
	if err := r.member.close(); err != nil {
		return err
	}
	if err := r.dir.Close(nil); err != nil {
		return err
	}
	if r, err = openRig(t, d, 1500); err != nil {
		return err
	}
	return create1(24, 25, 26)
}

// foundation makes the data directory, as package datadir does.
func foundation(t testing.TB, d *sim.Disk) {
	t.Helper()
	if err := errors.Join(d.MkdirAll(rigPath, 0o755), d.SyncDir("/")); err != nil {
		t.Fatal(err)
	}
}

// verify opens what a crash left: every acknowledged topic must be there, and
// the topics must be a prefix of what was asked for, whole.
func verify(t *testing.T, what string, d *sim.Disk, acked int) *rig {
	t.Helper()
	r, err := openRig(t, d, 1500)
	if err != nil {
		t.Fatalf("%s: the start is refused: %v", what, err)
	}
	n := r.member.image.TopicCount()
	if n < acked {
		t.Fatalf("%s: %d topics are there, %d were acknowledged", what, n, acked)
	}
	for i := range n {
		topic := r.member.image.TopicByName(fmt.Sprintf("topic-%05d", i))
		if topic == nil || len(topic.Partitions) != 1 {
			t.Fatalf("%s: %d topics, and topic %d of them is missing or half there", what, n, i)
		}
	}
	if err := r.machine.agrees(r.member.image); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if a := r.turn(create{n})[0]; a.err != nil {
		t.Fatalf("%s: the next command: %v", what, a.err)
	}
	return r
}

// TestNothingAcknowledgedIsLostAtAnyCrash cuts the power at every operation
// that changes the disk, in every style of loss, and starts again.
func TestNothingAcknowledgedIsLostAtAnyCrash(t *testing.T) {
	styles := []sim.Style{sim.Nothing, sim.Everything, sim.Prefix, sim.AnyPages, sim.AnySectors, sim.Garbage}
	d := sim.NewDisk(7)
	acked, points := 0, 0
	foundation(t, d)
	d.OnOp(func(op sim.Op) sim.Action {
		if !op.Kind.Changes() {
			return sim.Action{}
		}
		points++
		for i, style := range styles {
			if testing.Short() && (points+i)%7 != 0 {
				continue
			}
			c := d.Clone(uint64(points*10 + i))
			c.CrashWith(style)
			c.Restart()
			verify(t, fmt.Sprintf("power cut before %v, style %d", op, style), c, acked)
		}
		return sim.Action{}
	})
	if err := script(t, d, func(int) { acked++ }); err != nil {
		t.Fatal(err)
	}
	if acked != 27 || points < 100 {
		t.Errorf("the script had %d acknowledgements and %d crash points", acked, points)
	}
}

// TestWhatWasReadAfterAKillSurvivesAPowerCut: kill, restart, read, then power
// cut: what the first restart showed must still be there (the page cache holds
// bytes that no disk has).
func TestWhatWasReadAfterAKillSurvivesAPowerCut(t *testing.T) {
	d := sim.NewDisk(9)
	acked, points := 0, 0
	foundation(t, d)
	d.OnOp(func(op sim.Op) sim.Action {
		if points++; !op.Kind.Changes() {
			return sim.Action{}
		}
		what := fmt.Sprintf("kill before %v", op)
		c := d.Clone(uint64(points))
		c.Kill()
		c.Restart()
		n := verify(t, what, c, acked).member.image.TopicCount()
		c.CrashWith(sim.Nothing)
		c.Restart()
		verify(t, what+", then a power cut", c, n)
		return sim.Action{}
	})
	if err := script(t, d, func(int) { acked++ }); err != nil {
		t.Fatal(err)
	}
}

// TestAnyFailedOperationIsSurvived fails each operation once: the node refuses
// or goes on, and a restart has all that was acknowledged.
func TestAnyFailedOperationIsSurvived(t *testing.T) {
	for at := 1; ; at++ {
		d := sim.NewDisk(uint64(at))
		n, acked, hit := 0, map[int]bool{}, ""
		foundation(t, d)
		d.OnOp(func(op sim.Op) sim.Action {
			if op.Kind.Changes() {
				if n++; n == at {
					hit = op.String()
					return sim.Action{Err: errIO}
				}
			}
			return sim.Action{}
		})
		err := script(t, d, func(n int) { acked[n] = true })
		if hit == "" {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		d.OnOp(nil)
		d.CrashWith(sim.Nothing)
		d.Restart()
		verify(t, "failed "+hit, d, len(acked))
	}
}
