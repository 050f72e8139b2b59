package log

import (
	"errors"
	"testing"
	"time"

	"ottla/internal/sim"
)

// After the death of a process the kernel has all that was written; after a loss of
// power only what was synced is there for sure. Who must hear of a loss hears of
// it, however the processes end that come between.
func TestADirectoryTellsADeathFromALossOfPower(t *testing.T) {
	disk := sim.NewDisk(1)
	r := &rig{t: t, fs: disk, now: time.UnixMilli(1_700_000_000_000)}
	r.o = DirOptions{FS: disk, Path: "/data", Now: func() time.Time { return r.now }}
	killed := func() { disk.Kill() }
	cut := func() { disk.Crash() }
	closed := func() {
		if err := r.d.Close(nil); err != nil {
			t.Fatal(err)
		}
		disk.Kill()
	}
	failed := func() {
		if err := r.d.fail(errors.New("a sync failed")); !errors.Is(err, ErrOffline) {
			t.Fatal(err)
		}
		disk.Kill()
	}
	r.open()
	if !r.d.MayLack() {
		t.Error("a new directory lacks nothing")
	}
	for i, step := range []struct {
		what string
		told bool // before it ended
		ends []func()
		lack bool
	}{
		{"killed, and nobody knows that it is new", false, []func(){killed}, true},
		{"killed", true, []func(){killed}, false},
		{"killed again", false, []func(){killed}, false},
		{"power lost", false, []func(){cut}, true},
		{"killed after that, and nobody knows", false, []func(){killed}, true},
		{"closed, and still nobody knows", false, []func(){closed}, true},
		{"closed, then the power lost, and still nobody knows", false, []func(){closed, cut}, true},
		{"closed, and it is known", true, []func(){closed}, false},
		{"closed, then the power lost", false, []func(){closed, cut}, false},
		{"killed, then the power lost", false, []func(){killed, cut}, true},
		{"told, then killed", true, []func(){killed}, false},
		{"the disk failed", false, []func(){failed}, true},
		{"the disk failed, and it was known", true, []func(){failed}, true},
	} {
		if step.told {
			if err := r.d.Told(); err != nil {
				t.Fatal(err)
			}
		}
		for _, end := range step.ends {
			end()
		}
		disk.Restart()
		r.open()
		if got := r.d.MayLack(); got != step.lack {
			t.Errorf("step %d, %s: may lack %v, want %v", i+1, step.what, got, step.lack)
		}
	}
}
