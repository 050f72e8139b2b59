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
