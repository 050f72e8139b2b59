package realfault

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// Lane is one producer's records to one partition: they are numbered from 0
// and must come out in that order.
type Lane struct {
	Producer  int
	Partition int32
}

// Ledger is what the producers were told. It may be used by several goroutines.
type Ledger struct {
	mu    sync.Mutex // guards lanes
	lanes map[Lane]*account
}

// account is one lane: how many numbers were handed out and where each
// acknowledged one lies (-1: not acknowledged, and it may or may not be there).
type account struct{ offsets []int64 }

// NewLedger returns an empty ledger.
func NewLedger() *Ledger { return &Ledger{lanes: make(map[Lane]*account)} }

// Next hands out the next number of a lane.
func (l *Ledger) Next(lane Lane) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.lanes[lane]
	if a == nil {
		a = new(account)
		l.lanes[lane] = a
	}
	a.offsets = append(a.offsets, -1)
	return int64(len(a.offsets)) - 1
}

// Acked notes that record number seq of a lane was acknowledged at an offset.
func (l *Ledger) Acked(lane Lane, seq, offset int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lanes[lane].offsets[seq] = offset
}

// AckedCount tells how many records were acknowledged.
func (l *Ledger) AckedCount() (n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.lanes {
		for _, o := range a.offsets {
			if o >= 0 {
				n++
			}
		}
	}
	return n
}

// Seen is one record that was read.
type Seen struct {
	Lane
	Seq, Offset int64
}

// Verdict is what a comparison of the ledger with what was read found.
type Verdict struct {
	Acked, Read                         int64
	Lost, Doubled, Disordered, Unwanted int64
	Moved                               int64    // acknowledged at one offset, read at another
	Examples                            []string // the first few of each kind
}

// OK tells whether nothing is wrong.
func (v Verdict) OK() bool {
	return v.Lost+v.Doubled+v.Disordered+v.Unwanted+v.Moved == 0
}

// String is the verdict in one line.
func (v Verdict) String() string {
	s := fmt.Sprintf("acknowledged %d, read %d: lost %d, doubled %d, out of order %d, at another offset %d, never sent %d",
		v.Acked, v.Read, v.Lost, v.Doubled, v.Disordered, v.Moved, v.Unwanted)
	if len(v.Examples) > 0 {
		s += "\n  " + strings.Join(v.Examples, "\n  ")
	}
	return s
}

// maxExamples bounds the examples of a verdict.
const maxExamples = 10

func (v *Verdict) note(count *int64, format string, args ...any) {
	*count++
	if len(v.Examples) < maxExamples {
		v.Examples = append(v.Examples, fmt.Sprintf(format, args...))
	}
}

// Judge compares everything that was read, each partition in offset order, with
// what was promised.
func (l *Ledger) Judge(read []Seen) Verdict {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := Verdict{Read: int64(len(read))}
	at := make(map[Lane][]int64) // offset of each number, -1: not read
	last := make(map[Lane]int64)
	for _, r := range read {
		a := l.lanes[r.Lane]
		if a == nil || r.Seq < 0 || r.Seq >= int64(len(a.offsets)) {
			v.note(&v.Unwanted, "%s at offset %d was never sent", r, r.Offset)
			continue
		}
		seen := at[r.Lane]
		if seen == nil {
			seen = slices.Repeat([]int64{-1}, len(a.offsets))
			at[r.Lane], last[r.Lane] = seen, -1
		}
		if seen[r.Seq] >= 0 {
			v.note(&v.Doubled, "%s is at offset %d and again at %d", r, seen[r.Seq], r.Offset)
			continue
		}
		seen[r.Seq] = r.Offset
		if r.Seq < last[r.Lane] {
			v.note(&v.Disordered, "%s at offset %d comes after number %d", r, r.Offset, last[r.Lane])
		}
		last[r.Lane] = max(last[r.Lane], r.Seq)
	}
	for lane, a := range l.lanes {
		for seq, offset := range a.offsets {
			if offset < 0 {
				continue
			}
			v.Acked++
			r := Seen{Lane: lane, Seq: int64(seq)}
			switch got := at[lane]; {
			case got == nil || got[seq] < 0:
				v.note(&v.Lost, "%s, acknowledged at offset %d, is gone", r, offset)
			case got[seq] != offset:
				v.note(&v.Moved, "%s, acknowledged at offset %d, is at %d", r, offset, got[seq])
			}
		}
	}
	return v
}

// String names a record.
func (r Seen) String() string {
	return fmt.Sprintf("record %d of producer %d in partition %d", r.Seq, r.Producer, r.Partition)
}
