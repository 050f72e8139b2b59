//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ottla/test/realfault"
)

// row is one kind of fault.
type row struct {
	number, name string
	run          func(ctx context.Context, s *scene) error
}

// rows are all of them.
var rows = []row{
	{"1", "kill -9", killed},
	{"2", "power cut", powerCut},
	{"10a", "fsync fails", syncFails},
	{"10b", "one of two log directories fails", directoryFails},
	{"12", "disk full", diskFull},
	{"13a", "inodes full", inodesFull},
	{"13b", "file size limit", fileLimit},
	{"14", "slow disk", slowDisk},
	{"15a", "read-only remount", readOnly},
	{"15b", "one of two disks read-only", oneOfTwo},
	{"16", "descriptors exhausted", descriptors},
	{"17", "memory limit", memoryLimit},
	{"19a", "pause (SIGSTOP)", paused},
	{"19b", "members die without leaving", vanishing},
	{"20", "half-open connections", halfOpen},
	{"23", "late EndTxn and old epochs", oldEpochs},
	{"24", "clients that never read", neverRead},
	{"25", "absurd lengths and counts", absurd},
	{"26", "corrupt batches", corruptBatches},
	{"27", "decompression bombs", bombs},
	{"28", "thousands of connections", crowd},
	{"33", "wrong, copied and shared directories", directories},
}

// choose picks rows by number; 13 means 13a and 13b.
func choose(list string) ([]row, error) {
	if list == "" {
		return rows, nil
	}
	var out []row
	for want := range strings.SplitSeq(list, ",") {
		found := false
		for _, r := range rows {
			if want = strings.TrimSpace(want); r.number == want || strings.TrimRight(r.number, "ab") == want {
				out, found = append(out, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no row %q here; rows are numbered as in the list of faults, and doc.go says where the others are", want)
		}
	}
	return out, nil
}

// result is what became of a row.
type result struct {
	row  row
	hits int
	note string
	err  error
	took time.Duration
}

type verdict string

const (
	clean      verdict = "clean"
	failed     verdict = "FAILED"
	impossible verdict = "not possible here"
)

func (r result) verdict() verdict {
	var no *realfault.Impossible
	switch {
	case errors.As(r.err, &no):
		return impossible
	case r.err != nil, r.hits == 0:
		return failed
	}
	return clean
}

func (r result) line() string {
	text := fmt.Sprintf("%-4s %-37s %6d  %5.1fs  %s", r.row.number, r.row.name, r.hits, r.took.Seconds(), r.verdict())
	switch {
	case r.err != nil:
		text += ": " + r.err.Error()
	case r.hits == 0:
		text += ": the fault was never hit"
	case r.note != "":
		text += ": " + r.note
	}
	return text
}

// table prints all results and returns how many failed.
func table(results []result) (bad int) {
	fmt.Printf("\n%-4s %-37s %6s  %6s  %s\n", "row", "fault", "hits", "time", "result")
	for _, r := range results {
		first, _, _ := strings.Cut(r.line(), "\n") // the rest was printed when it ended
		fmt.Println(first)
		if r.verdict() == failed {
			bad++
		}
	}
	return bad
}
