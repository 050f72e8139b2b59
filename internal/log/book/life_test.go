package book

import (
	"testing"

	"ottla/internal/vfs"
)

// nowhere is a file system of which nothing is known.
type nowhere struct{ vfs.FS }

func (nowhere) Life(string) string { return "" }

func TestWhatIsNotKnownMayLackSomething(t *testing.T) {
	fsys := nowhere{disk(t)}
	if b := open(t, fsys, true); !b.MayLack || b.Told() != nil {
		t.Error("a new directory lacks nothing")
	}
	if b := open(t, fsys, false); !b.MayLack || b.Died {
		t.Error("two lives of which nothing is known are taken for one")
	}
	b := open(t, fsys, false)
	if err := b.Told(); err != nil {
		t.Fatal(err)
	}
	if err := b.WriteClean(); err != nil {
		t.Fatal(err)
	}
	if open(t, fsys, false).MayLack {
		t.Error("closed, and something may be missing")
	}
}

func TestADamagedLifeIsNone(t *testing.T) {
	for _, text := range []string{"", "version: 0\n", "version: 1\nlife: memory\ntold: true\n", "version: 0\nlife: memory\ntold: yes\n",
		"version: 0\nlife: memory\ntold: true", "version: 0\nlife: memory\n\ntold: true\n"} {
		fsys := disk(t)
		open(t, fsys, true)
		write(t, fsys, LifeName, text)
		if b := open(t, fsys, false); !b.MayLack || b.Died {
			t.Errorf("%q is taken for a life", text)
		}
	}
}

func TestALifeComesBackAsItWasWritten(t *testing.T) {
	for _, want := range []life{{}, {"memory", true}, {"a, b", false}} {
		if got, ok := parseLife(want.text()); !ok || got != want {
			t.Errorf("%+v comes back as %+v, %v", want, got, ok)
		}
	}
}

func TestALifeThatEndedStaysEnded(t *testing.T) {
	fsys := disk(t)
	b := open(t, fsys, true)
	b.EndLife()
	if err := b.Told(); err != nil {
		t.Fatal(err)
	}
	if !open(t, fsys, false).MayLack {
		t.Error("a disk that failed lacks nothing")
	}
}
