package log

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
	"unsafe"

	"ottla/internal/log/checkpoint"
	"ottla/internal/uuid"
)

func TestALogWithoutDataCostsNextToNothing(t *testing.T) {
	r := newRig(t)
	for i := range 50 {
		if _, err := r.d.Open(ident(i), OpenOptions{Config: small}); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.d.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	entries, err := r.fs.ReadDir("/data")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			t.Errorf("%s is there though nothing was appended", e.Name())
		}
	}
	if n := unsafe.Sizeof(Log{}); n > 1024 {
		t.Errorf("a log takes %d bytes, want at most 1 KiB", n)
	}
}

func TestADirectoryOfAnotherTopicIsRefused(t *testing.T) {
	r := newRig(t)
	fill(t, r.log(small), 1, 1)
	if err := r.d.Close(nil); err != nil {
		t.Fatal(err)
	}
	r.open()
	other := ident(0)
	other.ID = uuid.UUID{9}
	if _, err := r.d.Open(other, OpenOptions{Config: small}); !errors.Is(err, ErrWrongTopic) {
		t.Errorf("got %v, want ErrWrongTopic", err)
	}
	if found := r.d.Found(); len(found) != 1 || found[0] != ident(0) {
		t.Errorf("found %v, want %v", found, ident(0))
	}
	r.log(small)
	if _, err := r.d.Open(ident(0), OpenOptions{Config: small}); err == nil {
		t.Error("one log was opened twice")
	}
}

func TestNamesThatLeaveTheDirectoryAreRefused(t *testing.T) {
	r := newRig(t)
	for _, id := range []Ident{{Topic: ""}, {Topic: ".."}, {Topic: "a/b"}, {Topic: "a\x00"}, {Topic: "a", Partition: -1}} {
		if _, err := r.d.Open(id, OpenOptions{}); err == nil {
			t.Errorf("%q partition %d was opened", id.Topic, id.Partition)
		}
	}
}

func TestADeletedLogIsGoneAtOnceAndItsSpaceAfterTheDelay(t *testing.T) {
	r := newRig(t)
	c := small
	c.FileDeleteDelay = time.Minute
	l := r.log(c)
	fill(t, l, 10, 1)
	if err := r.d.SyncRound(); err != nil {
		t.Fatal(err)
	}
	if err := r.d.Delete(l); err != nil {
		t.Fatal(err)
	}
	h, b := batch(10, 0, 0, 1)
	if _, err := l.Append(&h, b); !errors.Is(err, ErrClosed) {
		t.Errorf("append: %v, want ErrClosed", err)
	}
	if _, err := l.Read(0, Position{Offset: 10}, 100, true); !errors.Is(err, ErrClosed) {
		t.Errorf("read: %v, want ErrClosed", err)
	}
	leftover := func() bool {
		entries, err := r.fs.ReadDir("/data")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), "-delete") {
				return true
			}
		}
		return false
	}
	again := ident(0)
	again.ID = uuid.UUID{7}
	l2, err := r.d.Open(again, OpenOptions{Config: small})
	if err != nil || l2.End().Offset != 0 {
		t.Fatalf("the topic made again: end %v %v, want a new log", l2.End(), err)
	}
	if !leftover() {
		t.Error("the directory went before its delay")
	}
	if err := r.d.Checkpoint(nil); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(time.Minute)
	if err := r.d.Housekeep(); err != nil || leftover() {
		t.Errorf("after the delay: still there %v %v", leftover(), err)
	}
}

// A checkpoint that is older than a delete says nothing of the log that has the name
// since, even where a power cut left that one without its partition.metadata. It does of
// the same log when that moved back.
func TestALogMadeAfterADeleteIsNotTakenForTheDeletedOne(t *testing.T) {
	for _, c := range []struct {
		name    string
		harm    func(r *rig) error // done to its partition.metadata
		movedIn bool
		want    uuid.UUID
	}{
		{name: "its metadata is there", want: uuid.UUID{7}},
		{name: "its metadata is missing", harm: func(r *rig) error { return r.fs.Remove("/data/orders-0/" + checkpoint.PartitionMeta) }},
		{name: "its metadata is damaged", harm: spoil},
		{name: "the log moved back and its metadata is damaged", harm: spoil, movedIn: true, want: ident(0).ID},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			old := r.log(small)
			fill(t, old, 10, 1)
			for _, do := range []func() error{r.d.SyncRound, func() error { return r.d.Checkpoint(nil) }, func() error { return r.d.Delete(old) }} {
				if err := do(); err != nil {
					t.Fatal(err)
				}
			}
			again := ident(0)
			again.ID = uuid.UUID{7}
			if c.movedIn {
				again = ident(0)
			}
			l, err := r.d.Open(again, OpenOptions{Config: small})
			if err != nil {
				t.Fatal(err)
			}
			fill(t, l, 3, 1)
			if c.movedIn {
				if err := r.d.writeMoves("orders-0", 2); err != nil {
					t.Fatal(err)
				}
			}
			if c.harm != nil {
				if err := c.harm(r); err != nil {
					t.Fatal(err)
				}
			}
			want := Ident{Topic: "orders", ID: c.want}
			// The second start finds what the first one left, its housekeeping done.
			for range 2 {
				r.reopen()
				if found := r.d.Found(); len(found) != 1 || found[0] != want {
					t.Errorf("found %v, want %v", found, want)
				}
				if err := r.d.Housekeep(); err != nil {
					t.Fatal(err)
				}
			}
			if l, err = r.d.Open(again, OpenOptions{Config: small}); err != nil {
				t.Fatal(err)
			}
			if !c.movedIn && l.End().Offset != 3 {
				t.Errorf("it ends at %d, want 3", l.End().Offset)
			}
		})
	}
}

// spoil makes the log's partition.metadata unreadable.
func spoil(r *rig) error {
	return checkpoint.Write(r.fs, "/data/orders-0", checkpoint.PartitionMeta, []byte("rot"), true)
}

func TestACheckpointIsWrittenOnlyWhenSomethingChanged(t *testing.T) {
	r := newRig(t)
	l := r.log(small)
	sequence := func() uint64 {
		t.Helper()
		if err := r.d.Checkpoint(nil); err != nil {
			t.Fatal(err)
		}
		b, err := checkpoint.Read(r.fs, "/data/"+checkpoint.Name)
		if err != nil {
			t.Fatal(err)
		}
		f, err := checkpoint.Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		return f.Sequence
	}
	fill(t, l, 1, 1)
	first := sequence()
	if again := sequence(); again != first {
		t.Errorf("written again (%d after %d) though nothing changed", again, first)
	}
	l.Epochs().Assign(3, l.End().Offset)
	second := sequence()
	if second == first {
		t.Error("not written after a new leader epoch")
	}
	fill(t, l, 1, 1)
	if sequence() == second {
		t.Error("not written after an append")
	}
}

func TestANewerCheckpointIsRefusedAndADamagedOneIsWalkedOver(t *testing.T) {
	r := newRig(t)
	fill(t, r.log(small), 30, 2)
	if err := r.d.Close(nil); err != nil {
		t.Fatal(err)
	}
	f, err := r.fs.OpenFile("/data/"+checkpoint.Name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte{0xff}, 40); err != nil {
		t.Fatal(err)
	}
	r.open()
	l := r.log(small)
	if l.End().Offset != 60 {
		t.Errorf("with a damaged checkpoint the log ends at %d, want 60", l.End().Offset)
	}
	b := checkpoint.Append(nil, &checkpoint.File{Sequence: 3})
	b[9]++ // the version; the checksum is made anew
	if err := checkpoint.Write(r.fs, "/data", checkpoint.Name, reseal(b), true); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(r.o); !errors.Is(err, checkpoint.ErrNewer) {
		t.Errorf("a newer format: %v, want ErrNewer", err)
	}
}

func TestADirectoryTellsWhetherItWasClosedCleanly(t *testing.T) {
	r := newRig(t)
	if r.d.StoppedCleanly() {
		t.Error("a new directory was closed by nobody")
	}
	if err := r.d.Close(func(Ident) int64 { return 0 }); err != nil {
		t.Fatal(err)
	}
	r.open()
	if !r.d.StoppedCleanly() {
		t.Error("closed, and not taken for that")
	}
	r.reopen()
	if r.d.StoppedCleanly() {
		t.Error("killed, and taken for closed")
	}
}
