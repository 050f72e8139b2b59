package quorum

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"go.etcd.io/raft/v3"
	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/metadata"
	"ottla/internal/record"
)

// story is a storage on a log that is a list of batches.
type story struct {
	s       *storage
	batches [][]byte
	voters  *voterSet
}

func newStory(base uint64, term, offset int64) *story {
	w := &story{s: &storage{conf: &pb.ConfState{Voters: []uint64{idA}}}, voters: newVoterSet(voterA)}
	w.s.index = entryIndex{base: base, baseTerm: uint64(term), baseOffset: offset}
	w.s.read = w.read
	return w
}

func (w *story) read(lo, hi, maxSize uint64) ([]*pb.Entry, error) {
	var out []*pb.Entry
	for _, b := range w.batches {
		h, err := record.ParseHeader(b)
		if err != nil {
			return nil, err
		}
		if i := lo + uint64(len(out)); h.BaseOffset == w.s.index.startOf(i) && i < hi {
			e, err := entryOf(&h, b, i)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
	}
	return limit(out, maxSize), nil
}

// write does what a member does with entries: batch, log, storage.
func (w *story) write(kind string, term uint64, records int) error {
	index := w.s.index.last() + 1
	var e *pb.Entry
	switch kind {
	case "records":
		var rs []metadata.Record
		for n := range records {
			rs = append(rs, feature(int16(n)))
		}
		e = entry(index, term, pb.EntryNormal, recordBatch(w.s.index.end(), int32(term), 1000, rs))
	case "leader":
		e = entry(index, term, pb.EntryNormal, nil)
	case "voter":
		cc := &pb.ConfChange{Type: pb.ConfChangeAddNode.Enum(), NodeId: new(idB), Context: votersValue([]Voter{voterB})}
		_, data, err := pb.MarshalConfChange(cc)
		if err != nil {
			return err
		}
		e = entry(index, term, pb.EntryConfChange, data)
	default:
		return fmt.Errorf("unknown entry %q", kind)
	}
	h, batch, err := batchOf(e, w.s.index.end(), 1000, 1, w.voters)
	if err != nil {
		return err
	}
	w.batches = append(w.batches, batch)
	return w.s.add(e, h.NextOffset())
}

func (w *story) String() string {
	x := &w.s.index
	var b strings.Builder
	fmt.Fprintf(&b, "base %d (term %d, offset %d)", x.base, x.baseTerm, x.baseOffset)
	for i := x.first(); i <= x.last(); i++ {
		t, _ := x.term(i)
		fmt.Fprintf(&b, "\n%d: term %d, offsets %d-%d", i, t, x.startOf(i), x.endOf(i)-1)
		if i >= w.s.tailFirst() {
			b.WriteString(", in memory")
		}
	}
	return b.String()
}

// TestStorageStories plays testdata/storage: how Raft indexes and Kafka
// offsets run apart, and what the Raft library gets to read.
func TestStorageStories(t *testing.T) {
	datadriven.Walk(t, "testdata/storage", func(t *testing.T, path string) {
		var w *story
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			arg := func(name string, into any) {
				if d.HasArg(name) {
					d.ScanArgs(t, name, into)
				}
			}
			var index, lo, hi, maxSize, term uint64
			var offset, count, baseTerm int64
			arg("index", &index)
			arg("term", &term)
			arg("offset", &offset)
			arg("count", &count)
			arg("lo", &lo)
			arg("hi", &hi)
			maxSize = 1 << 20
			arg("max", &maxSize)
			switch d.Cmd {
			case "snapshot":
				arg("term", &baseTerm)
				w = newStory(index, baseTerm, offset)
			case "leader", "records", "voter":
				if err := w.write(d.Cmd, term, int(count)); err != nil {
					return err.Error()
				}
			case "truncate":
				w.batches = w.batches[:index-w.s.index.first()]
				w.s.truncate(index)
			case "compact":
				w.s.index.compact(index)
			case "trim":
				w.s.trim(index, true)
			case "at":
				i, ok := w.s.index.at(offset)
				return fmt.Sprint(i, ok)
			case "term":
				got, err := w.s.Term(index)
				return said(got, err)
			case "entries":
				es, err := w.s.Entries(lo, hi, maxSize)
				if err != nil {
					return said(0, err)
				}
				var b strings.Builder
				for _, e := range es {
					fmt.Fprintf(&b, "%d: term %d, %s, %d bytes\n", e.GetIndex(), e.GetTerm(), e.GetType(), len(e.GetData()))
				}
				return b.String()
			default:
				t.Fatalf("unknown command %s", d.Cmd)
			}
			return w.String()
		})
	})
}

func said(got uint64, err error) string {
	switch {
	case errors.Is(err, raft.ErrCompacted):
		return "compacted"
	case errors.Is(err, raft.ErrUnavailable):
		return "unavailable"
	case err != nil:
		return err.Error()
	}
	return fmt.Sprint(got)
}

// Every entry comes back from its batch as it was.
func TestEntriesComeBackFromTheirBatches(t *testing.T) {
	w := newStory(1, 0, 0)
	for n, kind := range []string{"leader", "records", "voter", "records"} {
		if err := w.write(kind, 3, n+1); err != nil {
			t.Fatal(err)
		}
	}
	fromMemory, err := w.s.Entries(2, 6, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	w.s.trim(5, true)
	fromLog, err := w.s.Entries(2, 6, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for i := range fromMemory {
		got, want := fromLog[i], fromMemory[i]
		if got.GetIndex() != want.GetIndex() || got.GetTerm() != want.GetTerm() || got.GetType() != want.GetType() || string(got.GetData()) != string(want.GetData()) {
			t.Errorf("entry %d comes back as %v, want %v", want.GetIndex(), got, want)
		}
	}
}

func TestBatchThatDoesNotFitItsEntryIsRefused(t *testing.T) {
	voters := newVoterSet(voterA)
	batch := recordBatch(7, 3, 0, []metadata.Record{feature(1)})
	for name, e := range map[string]*pb.Entry{
		"term":     entry(2, 4, pb.EntryNormal, batch),
		"trailing": entry(2, 3, pb.EntryNormal, append(batch[:len(batch):len(batch)], 0)),
		"short":    entry(2, 3, pb.EntryNormal, batch[:20]),
	} {
		if _, _, err := batchOf(e, 7, 0, 1, voters); err == nil {
			t.Errorf("%s: want an error", name)
		}
	}
	if _, _, err := batchOf(entry(2, 3, pb.EntryNormal, batch), 8, 0, 1, voters); err == nil {
		t.Error("offset: want an error")
	}
	if _, _, err := batchOf(entry(2, 3, pb.EntryNormal, batch), 7, 0, 1, voters); err != nil {
		t.Errorf("the right one: %v", err)
	}
}
