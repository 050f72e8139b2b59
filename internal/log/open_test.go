package log

import (
	"os"
	"reflect"
	"sync"
	"testing"

	"ottla/internal/vfs"
)

// nosy is a file system that tells of each file before it is opened.
type nosy struct {
	vfs.FS
	told func()
}

func (n *nosy) OpenFile(name string, flag int, perm os.FileMode) (vfs.File, error) {
	if n.told != nil {
		n.told()
	}
	return n.FS.OpenFile(name, flag, perm)
}

// A step that comes while a log is being opened leaves it alone: what it is opened
// by stays in the checkpoint, though half of it is known already.
func TestACheckpointLeavesALogAloneThatIsBeingOpened(t *testing.T) {
	r := newRig(t)
	fs := &nosy{FS: r.fs}
	r.o.FS = fs
	r.open()
	l := r.log(small)
	fill(t, l, 100, 1)
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	if err := r.d.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	fill(t, l, 50, 1)
	r.reopen()
	saved := r.d.book.Entry(l.name)
	if saved == nil || saved.End != 100 {
		t.Fatalf("the checkpoint has %+v", saved)
	}
	steps, inside := 0, false
	fs.told = func() {
		if inside { // the checkpoint's own
			return
		}
		inside, steps = true, steps+1
		if err := r.d.Checkpoint(nil); err != nil {
			t.Error(err)
		}
		if n := r.d.Bytes(); n != 0 {
			t.Errorf("%d bytes of a log that is not open", n)
		}
		if got := r.d.book.Entry(l.name); !reflect.DeepEqual(got, saved) {
			t.Errorf("after step %d the checkpoint has %+v, want %+v", steps, got, saved)
		}
		inside = false
	}
	l = r.log(small)
	fs.told = nil
	if steps == 0 || l.End().Offset != 150 || r.d.Bytes() == 0 {
		t.Errorf("%d steps, the log ends at %d, %d bytes", steps, l.End().Offset, r.d.Bytes())
	}
	if err := r.d.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	if got := r.d.book.Entry(l.name); got.End != 150 {
		t.Errorf("once it is open the checkpoint has %+v", got)
	}
}

// Nor does it look at what the opener writes without a lock: the race detector
// watches.
func TestStepsRunBesideAnOpening(t *testing.T) {
	r := newRig(t)
	fill(t, r.log(small), 100, 1)
	if err := r.d.Close(func(Ident) int64 { return 100 }); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		r.open()
		opened := make(chan struct{})
		var steps sync.WaitGroup
		steps.Go(func() {
			for on := true; on; {
				select {
				case <-opened:
					on = false // once more, with the log there
				default:
				}
				r.d.Bytes()
				if err := r.d.Checkpoint(nil); err != nil {
					t.Error(err)
				}
			}
		})
		l := r.log(small)
		close(opened)
		steps.Wait()
		if l.End().Offset != 100 {
			t.Fatalf("the log ends at %d, want 100", l.End().Offset)
		}
	}
}
