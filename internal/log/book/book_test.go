package book

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"log/slog"
	"os"
	"strings"
	"testing"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

const path = "/data"

var quiet = slog.New(slog.DiscardHandler)

func disk(t *testing.T) vfs.FS {
	t.Helper()
	fsys := vfs.NewMem(0)
	if err := fsys.MkdirAll(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return fsys
}

func none(string, string) bool { return false }

func open(t *testing.T, fsys vfs.FS, empty bool) *Book {
	t.Helper()
	b, err := Open(fsys, path, empty, none, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func entry(partition int32, end int64) checkpoint.Entry {
	return checkpoint.Entry{Topic: "orders", Partition: partition, Body: checkpoint.AppendLog(nil, &checkpoint.Log{ID: uuid.UUID{1}, End: end})}
}

func write(t *testing.T, fsys vfs.FS, name, text string) {
	t.Helper()
	f, err := fsys.OpenFile(path+"/"+name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), 0); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, fsys vfs.FS, name string) string {
	t.Helper()
	b, err := checkpoint.Read(fsys, path+"/"+name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhatWasPutIsThereAfterPersist(t *testing.T) {
	fsys := disk(t)
	b := open(t, fsys, true)
	b.Put("orders-0", entry(0, 10))
	b.Put("orders-1", entry(1, 20))
	if e := open(t, fsys, false).Entry("orders-0"); e != nil {
		t.Errorf("on disk before it was written: %+v", e)
	}
	if err := b.Persist(); err != nil {
		t.Fatal(err)
	}
	again := open(t, fsys, false)
	if again.Foreign || again.Entry("orders-1") == nil || again.Entry("orders-1").End != 20 || again.Has("orders-2") {
		t.Errorf("foreign %t, %+v", again.Foreign, again.Entry("orders-1"))
	}
	change := again.Drop("orders-0")
	if again.Written() >= change {
		t.Error("a change counts as written before it was")
	}
	if err := again.Persist(); err != nil || again.Written() < change {
		t.Errorf("written %d of %d, %v", again.Written(), change, err)
	}
	if last := open(t, fsys, false); last.Has("orders-0") || !last.Has("orders-1") {
		t.Error("what was dropped came back, or its neighbour went")
	}
}

func TestNothingIsWrittenWhenNothingChanged(t *testing.T) {
	fsys := disk(t)
	b := open(t, fsys, true)
	before := read(t, fsys, checkpoint.Name)
	if err := b.Persist(); err != nil || read(t, fsys, checkpoint.Name) != before {
		t.Errorf("written once more: %v", err)
	}
	b.Touch()
	if err := b.Persist(); err != nil || read(t, fsys, checkpoint.Name) == before {
		t.Errorf("not written although it was asked for: %v", err)
	}
}

// A new directory has a checkpoint at once; one whose checkpoint is missing later
// on has lost it.
func TestALostCheckpointIsForeign(t *testing.T) {
	fsys := disk(t)
	if b := open(t, fsys, true); b.Foreign {
		t.Error("a new directory is taken for somebody else's")
	}
	if err := fsys.Remove(path + "/" + checkpoint.Name); err != nil {
		t.Fatal(err)
	}
	if b := open(t, fsys, false); !b.Foreign {
		t.Error("logs without a checkpoint are taken for ours")
	}
	write(t, fsys, checkpoint.Name, "rot")
	if b := open(t, fsys, false); !b.Foreign || b.Has("orders-0") {
		t.Error("a damaged checkpoint counts")
	}
}

func TestTheEntryOfADeletedLogGoes(t *testing.T) {
	fsys := disk(t)
	b := open(t, fsys, true)
	b.Put("orders-0", entry(0, 10))
	b.Put("orders-1", entry(1, 10))
	if err := b.Persist(); err != nil {
		t.Fatal(err)
	}
	as := layout.DeletedName("orders", 0, uuid.UUID{1})
	again, err := Open(fsys, path, false, func(name, left string) bool { return name == "orders-0" && left == as }, quiet)
	if err != nil || again.Has("orders-0") || !again.Has("orders-1") || again.Changes() != 1 {
		t.Errorf("orders-0 %t, orders-1 %t, %d changes, %v", again.Has("orders-0"), again.Has("orders-1"), again.Changes(), err)
	}
}

func TestTheMarkOfACleanStopCountsOnce(t *testing.T) {
	fsys := disk(t)
	b := open(t, fsys, true)
	if b.Clean {
		t.Error("a new directory was stopped cleanly")
	}
	if err := b.WriteClean(); err != nil {
		t.Fatal(err)
	}
	if !open(t, fsys, false).Clean || open(t, fsys, false).Clean {
		t.Error("the mark does not count, or counts twice")
	}
}

func TestKafkasFilesAreWrittenAndRead(t *testing.T) {
	fsys := disk(t)
	b := open(t, fsys, true)
	logs := []Stand{{"orders", 0, 50, 0, 40}, {"orders", 1, 70, 5, -1}}
	if err := b.WriteText(logs, true, true); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		checkpoint.RecoveryPoints: "0\n2\norders 0 50\norders 1 70\n",
		checkpoint.LogStarts:      "0\n1\norders 1 5\n",
		checkpoint.HighWatermarks: "0\n2\norders 0 40\norders 1 0\n",
	} {
		if got := read(t, fsys, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	again := open(t, fsys, false)
	if again.Floors["orders-1"] != 70 || again.Starts["orders-1"] != 5 || again.Highs["orders-0"] != 40 {
		t.Errorf("read %v %v %v", again.Floors, again.Starts, again.Highs)
	}
	if err := again.WriteText(nil, false, false); err != nil || !strings.Contains(read(t, fsys, checkpoint.HighWatermarks), "orders 0 40") {
		t.Errorf("without high watermarks their file changes: %v", err)
	}
	write(t, fsys, checkpoint.RecoveryPoints, "zero")
	if b := open(t, fsys, false); len(b.Floors) != 0 {
		t.Errorf("a damaged file says %v", b.Floors)
	}
}

func TestHowFarLogsAreCleanedIsKept(t *testing.T) {
	fsys := disk(t)
	b := open(t, fsys, true)
	all := func(string, int32) bool { return true }
	for partition, to := range map[string]int64{"orders-1": 20, "orders-0": 10} {
		if err := b.NoteCleaned(partition, to, all); err != nil {
			t.Fatal(err)
		}
	}
	if got := read(t, fsys, checkpoint.CleanerOffsets); got != "0\n2\norders 0 10\norders 1 20\n" {
		t.Errorf("the file is %q", got)
	}
	if err := b.ForgetCleaned("orders-0", all); err != nil {
		t.Fatal(err)
	}
	again := open(t, fsys, false)
	if _, ok := again.CleanedTo("orders-0"); ok {
		t.Error("a forgotten log is still there")
	}
	if to, ok := again.CleanedTo("orders-1"); !ok || to != 20 {
		t.Errorf("orders-1 is clean to %d, %t", to, ok)
	}
	gone := func(topic string, partition int32) bool { return partition == 7 }
	if err := again.NoteCleaned("orders-7", 70, gone); err != nil || read(t, fsys, checkpoint.CleanerOffsets) != "0\n1\norders 7 70\n" {
		t.Errorf("the file is %q, %v", read(t, fsys, checkpoint.CleanerOffsets), err)
	}
}

// A newer release's checkpoint is not guessed at, nor written over.
func TestANewerCheckpointIsRefused(t *testing.T) {
	fsys := disk(t)
	open(t, fsys, true)
	b := []byte(read(t, fsys, checkpoint.Name))
	const version = 9 // the second byte of the version, after eight of the magic
	b[version]++
	body := b[:len(b)-4]
	b = binary.BigEndian.AppendUint32(body, crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
	write(t, fsys, checkpoint.Name, string(b))
	if _, err := Open(fsys, path, false, none, quiet); !errors.Is(err, checkpoint.ErrNewer) || !strings.Contains(err.Error(), "run the release that wrote it") {
		t.Errorf("got %v, want it refused", err)
	}
	if read(t, fsys, checkpoint.Name) != string(b) {
		t.Error("it was written over")
	}
}
