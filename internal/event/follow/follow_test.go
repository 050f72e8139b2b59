package follow_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/event/follow"
)

// open begins to read a door's partition.
func open(t *testing.T, d *door, from int64) (context.Context, *follow.Partition) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p, err := follow.Open(follow.Options{Client: d.client, Topic: "t", From: from, Wait: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return ctx, p
}

// toEnd reads to the end, and gives the offsets of the records.
func toEnd(t *testing.T, ctx context.Context, p *follow.Partition) []int64 {
	t.Helper()
	end, err := p.End(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var out []int64
	for p.At() < end {
		got, err := p.Next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range got {
			if len(r.Value) != 1 || int64(r.Value[0]) != r.Offset || r.Topic != "t" || r.Partition != 0 {
				t.Errorf("%s-%d has %q at offset %d", r.Topic, r.Partition, r.Value, r.Offset)
			}
			out = append(out, r.Offset)
		}
	}
	if p.At() != end {
		t.Errorf("the log was read up to %d, want %d", p.At(), end)
	}
	return out
}

func TestAReaderComesToTheEndWhateverIsThere(t *testing.T) {
	for _, c := range []struct {
		name string
		log  func(d *door)
		from int64
		want []int64
	}{
		{"records", func(d *door) { d.put(0, 1, true); d.put(2, 2, true) }, 0, []int64{0, 1, 2}},
		{"nothing", func(*door) {}, 0, nil},
		{"from the midst of a batch", func(d *door) { d.put(0, 3, true) }, 2, []int64{2, 3}},
		{"an empty batch at the end", func(d *door) { d.put(0, 1, true); d.put(2, 5, false) }, 0, []int64{0, 1}},
		{"empty batches alone", func(d *door) { d.put(0, 1, false); d.put(2, 5, false) }, 0, nil},
		{"an empty batch between records", func(d *door) { d.put(0, 1, false); d.put(2, 2, true) }, 0, []int64{2}},
		{"a transaction aborted at the end", func(d *door) { d.put(0, 0, true); d.put(1, 3, true); d.abort(9) }, 0, []int64{0}},
		{"a gap between batches", func(d *door) { d.put(0, 0, true); d.put(5, 5, true) }, 0, []int64{0, 5}},
		{"a gap at the end", func(d *door) { d.put(0, 0, true); d.end = 9 }, 0, []int64{0}},
		{"a gap alone", func(d *door) { d.end = 9 }, 0, nil},
		{"a beginning that was deleted", func(d *door) { d.put(4, 5, true); d.start = 4 }, 0, []int64{4, 5}},
		{"all deleted", func(d *door) { d.start, d.end = 9, 9 }, 3, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := &door{t: t}
			c.log(d)
			ctx, p := open(t, d, c.from)
			if got := toEnd(t, ctx, p); !slices.Equal(got, c.want) {
				t.Errorf("records are at %v, want %v", got, c.want)
			}
		})
	}
}

// A new leader may not know yet how far the log is committed, or be slow to give
// what it has: what it gave nothing of is not passed over.
func TestAReaderPassesOverNothingThatMayCome(t *testing.T) {
	d := &door{t: t, hidden: 1}
	d.put(0, 3, true)
	ctx, p := open(t, d, 0)
	if got := toEnd(t, ctx, p); !slices.Equal(got, []int64{0, 1, 2, 3}) {
		t.Errorf("records are at %v", got)
	}
	d.mu.Lock()
	d.refuse, d.hidden = []error{kerr.NotLeaderForPartition}, 1
	d.mu.Unlock()
	d.put(4, 5, true)
	if got := toEnd(t, ctx, p); !slices.Equal(got, []int64{4, 5}) {
		t.Errorf("after another leader came, records are at %v", got)
	}
}

func TestAReaderAsksAgainWhoLeads(t *testing.T) {
	d := &door{t: t, refuse: []error{kerr.NotLeaderForPartition, kerr.UnknownLeaderEpoch, kerr.LeaderNotAvailable}}
	d.put(0, 0, true)
	ctx, p := open(t, d, 0)
	if got := toEnd(t, ctx, p); !slices.Equal(got, []int64{0}) {
		t.Errorf("records are at %v", got)
	}
}

// A leader that was just elected does not know yet how far its log is committed.
func TestAReaderAsksAgainWhereTheLogEnds(t *testing.T) {
	d := &door{t: t, unsure: 2}
	d.put(0, 1, true)
	ctx, p := open(t, d, 0)
	if got := toEnd(t, ctx, p); !slices.Equal(got, []int64{0, 1}) {
		t.Errorf("records are at %v", got)
	}
}

// Whether another partition of the topic has a leader is nothing to who reads this one.
func TestAReaderNeedsNoLeaderOfAnotherPartition(t *testing.T) {
	d := &door{t: t, lonely: true, start: 2}
	d.put(2, 4, true)
	ctx, p := open(t, d, 0)
	if got := toEnd(t, ctx, p); !slices.Equal(got, []int64{2, 3, 4}) {
		t.Errorf("records are at %v", got)
	}
}

// Only where all is read that is known of is it worth waiting.
func TestAReaderWaitsOnlyAtTheEnd(t *testing.T) {
	d := &door{t: t}
	d.put(0, 0, true)
	d.put(1, 1, false)
	ctx, p := open(t, d, 0)
	toEnd(t, ctx, p)
	if got, err := p.Next(ctx); err != nil || len(got) != 0 {
		t.Errorf("at the end there are %d records, and %v", len(got), err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if want := []int64{0, 1, 2}; !slices.Equal(d.fetches, want) {
		t.Errorf("fetches were at %v, want %v", d.fetches, want)
	}
	if want := []int32{0, 0, 100}; !slices.Equal(d.waits, want) {
		t.Errorf("they waited %v, want %v", d.waits, want)
	}
}

// What comes again is the whole log: who reads cannot know what it lost.
func TestALogThatLostItsEndIsReadAnew(t *testing.T) {
	d := &door{t: t}
	d.put(0, 2, true)
	ctx, p := open(t, d, 0)
	toEnd(t, ctx, p)
	d.mu.Lock()
	d.batches, d.end = nil, 0
	d.mu.Unlock()
	d.put(0, 0, true)
	if got, err := p.Next(ctx); err != nil || len(got) != 0 || p.At() != 0 {
		t.Errorf("after a loss there are %d records up to %d, and %v", len(got), p.At(), err)
	}
	if got := toEnd(t, ctx, p); !slices.Equal(got, []int64{0}) {
		t.Errorf("records are at %v", got)
	}
}

func TestAReaderTellsOfRotAndOfAnEndedWait(t *testing.T) {
	d := &door{t: t}
	d.put(0, 0, true)
	d.batches[0].bytes[len(d.batches[0].bytes)-1] ^= 1
	ctx, p := open(t, d, 0)
	ctx, cancel := context.WithCancel(ctx)
	d.mu.Lock()
	d.refuse = []error{kerr.NotLeaderForPartition}
	d.mu.Unlock()
	if _, err := p.Next(ctx); err == nil {
		t.Error("a rotten batch was read")
	}
	cancel()
	if _, err := p.Next(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the wait: %v", err)
	}
	if p.At() != 0 {
		t.Errorf("it is at %d", p.At())
	}
}
