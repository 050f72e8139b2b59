package producer

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/record"
)

// Stories are told in testdata/stories: what arrives, then what the state says.
//
//	append id=N epoch=N seq=N count=N [txn] [force]   judged, and applied when accepted (or forced, as a follower would)
//	marker id=N epoch=N commit|abort [coordinator=N] [version=N]
//	stable hw=N                                       the first unstable offset
//	list
//	restart snapshot|full                             encode, decode into a new state
//	expire before=MS
//	start offset=N                                    the log start offset rises
//
// Offsets count up from 0; a batch at offset N has the timestamp 10*N.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		story := &story{state: NewState()}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return story.run(t, d)
		})
	})
}

type story struct {
	state *State
	next  int64 // log end offset
}

func (s *story) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "append":
		return s.append(t, d)
	case "marker":
		return s.marker(t, d)
	case "stable":
		var hw int64
		d.ScanArgs(t, "hw", &hw)
		if offset, ok := s.state.FirstUnstable(hw); ok {
			return fmt.Sprintf("unstable from %d, stable to %d\n", offset, min(offset, hw))
		}
		return fmt.Sprintf("stable to %d\n", hw)
	case "list":
		return s.list()
	case "restart":
		return s.restart(t, d)
	case "expire":
		var before int64
		d.ScanArgs(t, "before", &before)
		return fmt.Sprintf("forgot %d\n", s.state.Expire(before))
	case "start":
		var offset int64
		d.ScanArgs(t, "offset", &offset)
		s.state.TruncateStart(offset)
		return s.list()
	}
	t.Fatalf("unknown command %s", d.Cmd)
	return ""
}

func (s *story) append(t *testing.T, d *datadriven.TestData) string {
	var id, epoch, seq, count int64
	d.ScanArgs(t, "id", &id)
	d.ScanArgs(t, "epoch", &epoch)
	d.ScanArgs(t, "seq", &seq)
	d.ScanArgs(t, "count", &count)
	h := header(id, int16(epoch), int32(seq), int32(count), s.next)
	if d.HasArg("txn") {
		h.Attributes |= 1 << 4
	}
	verdict, seen := s.state.Check(h)
	if verdict == Duplicate {
		return fmt.Sprintf("duplicate of %d-%d, stored at %d ms\n", seen.BaseOffset, seen.LastOffset, seen.TimestampMs)
	}
	if verdict != Accept && !d.HasArg("force") {
		return verdict.String() + "\n"
	}
	if _, _, err := s.state.Apply(h, nil); err != nil {
		t.Fatal(err)
	}
	s.next = h.NextOffset()
	return fmt.Sprintf("%s at %d-%d\n", verdict, h.BaseOffset, h.LastOffset())
}

func (s *story) marker(t *testing.T, d *datadriven.TestData) string {
	var id, epoch, coordinator, version int64
	d.ScanArgs(t, "id", &id)
	d.ScanArgs(t, "epoch", &epoch)
	d.MaybeScanArgs(t, "coordinator", &coordinator)
	d.MaybeScanArgs(t, "version", &version)
	h, batch := marker(t, id, int16(epoch), d.HasArg("commit"), int32(coordinator), s.next)
	if verdict := s.state.CheckMarker(h, int32(coordinator), int16(version)); verdict != Accept {
		return verdict.String() + "\n"
	}
	aborted, ok, err := s.state.Apply(h, batch)
	if err != nil {
		t.Fatal(err)
	}
	s.next++
	if ok {
		return fmt.Sprintf("marker at %d aborts %d from %d, stable to %d\n",
			aborted.LastOffset, aborted.ProducerID, aborted.FirstOffset, aborted.LastStableOffset)
	}
	return fmt.Sprintf("marker at %d\n", h.BaseOffset)
}

// marker makes a transaction marker at offset base.
func marker(t testing.TB, id int64, epoch int16, commit bool, coordinator int32, base int64) (*record.Header, []byte) {
	t.Helper()
	batch := record.EndTxnMarker(id, epoch, commit, coordinator, base*10)
	record.SetBaseOffset(batch, base)
	h, err := record.ParseHeader(batch)
	if err != nil {
		t.Fatal(err)
	}
	return &h, batch
}

func (s *story) list() string {
	var b strings.Builder
	for _, i := range s.state.List() {
		fmt.Fprintf(&b, "producer %d: epoch %d, last sequence %d, last seen %d ms, coordinator %d, transaction from %d\n",
			i.ProducerID, i.Epoch, i.LastSequence, i.LastTimestampMs, i.CoordinatorEpoch, i.CurrentTxnStartOffset)
	}
	if b.Len() == 0 {
		return "nobody\n"
	}
	return b.String()
}

func (s *story) restart(t *testing.T, d *datadriven.TestData) string {
	fresh := NewState()
	var err error
	if d.HasArg("full") {
		err = fresh.RestoreFull(s.state.AppendFull(nil))
	} else {
		err = fresh.Restore(s.state.Snapshot())
	}
	if err != nil {
		t.Fatal(err)
	}
	s.state = fresh
	return s.list()
}
