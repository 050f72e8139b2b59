package log

import (
	"testing"
)

func TestWhatWasAppendedIsReadAcrossSegmentsAndRestarts(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	fill(t, l, 200, 3)
	wantRun(t, readAll(t, l, 0), 200, 3)
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	if l.Durable() != l.End() {
		t.Fatalf("durable %v after a sync round, want the end %v", l.Durable(), l.End())
	}
	for _, how := range []string{"kill", "kill after checkpoint", "clean stop"} {
		switch how {
		case "kill after checkpoint":
			if err := r.d.Checkpoint(nil); err != nil {
				t.Fatal(err)
			}
		case "clean stop":
			if err := r.d.Close(nil); err != nil {
				t.Fatal(err)
			}
		}
		end := l.End()
		r.reopen()
		l = r.log(small)
		if l.End() != end {
			t.Fatalf("%s: end %v after the restart, want %v; %+v", how, l.End(), end, l.RecoveryReport())
		}
		wantRun(t, readAll(t, l, 0), 200, 3)
		if how == "clean stop" && l.RecoveryReport() != nil {
			t.Fatalf("clean stop: recovery says %+v, want nothing", l.RecoveryReport())
		}
	}
}
