//go:build linux

package main

import (
	"testing"

	"ottla/internal/record"
)

func TestMeasuresAreChosenByName(t *testing.T) {
	if got, err := choose(""); err != nil || len(got) != len(measures) {
		t.Errorf("none named: got %d, %v, want all", len(got), err)
	}
	got, err := choose("fsync,latency")
	if err != nil || len(got) != 2 || got[0].name != "fsync" || got[1].name != "latency" {
		t.Errorf("two named: got %v, %v", got, err)
	}
	if _, err := choose("latency,nothing"); err == nil {
		t.Error("a name that none has was taken")
	}
}

func TestTheBatchIsOneThatALeaderTakes(t *testing.T) {
	b := encodeBatch()
	h, batch, rest, err := record.Next(b)
	if err != nil || len(rest) > 0 || !record.VerifyCRC(batch) {
		t.Fatalf("got %d bytes and %d behind them, %v", len(batch), len(rest), err)
	}
	if got := int(h.LastOffsetDelta) + 1; got != perBatch {
		t.Errorf("got %d records, want %d", got, perBatch)
	}
	if len(b) > batchBytes || len(b) < batchBytes*9/10 {
		t.Errorf("got %d bytes, want about %d", len(b), batchBytes)
	}
}

func TestTheDiskIsMeasuredAndLeftClean(t *testing.T) {
	dir := t.TempDir()
	path := dir + "/x"
	if err := writeSynced(path, 64<<20); err != nil {
		t.Fatal(err)
	}
	if err := writeSynced(path+"/below-nothing", 1<<20); err == nil {
		t.Error("a file that cannot be made was written")
	}
}
