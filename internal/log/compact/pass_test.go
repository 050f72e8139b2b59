package compact

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"ottla/internal/log/compact/model"
	"ottla/internal/producer"
)

// shelf is a log of nothing but batches, cleaned by passes as package log does.
type shelf struct {
	t       *testing.T
	h       *model.History
	c       *model.Checker
	batches []model.Batch
	aborted []producer.Aborted
	cleaned int64
	keys    Keys
	skipped int // batches decided by their headers
}

func newShelf(t *testing.T, seed uint64, o model.Options, retentionMs int64) *shelf {
	h := model.New(rand.New(rand.NewPCG(seed, 5)), o)
	return &shelf{t: t, h: h, c: &model.Checker{H: h, RetentionMs: retentionMs}}
}

func (s *shelf) write(n int) {
	for range n {
		s.took(s.h.Next())
	}
}

func (s *shelf) took(b model.Batch) { s.batches = append(s.batches, b) }

// entries are the transaction index: what was cleaned, then what was not.
func (s *shelf) entries(from int64) []producer.Aborted {
	out := slices.Clone(s.aborted)
	for _, a := range s.h.Aborted {
		if a.LastOffset >= from {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b producer.Aborted) int { return int(a.FirstOffset - b.FirstOffset) })
	return out
}

// clean runs one pass over the batches below to with a table for so many keys.
func (s *shelf) clean(to int64, keys int64, nowMs int64, over *int64) {
	s.t.Helper()
	s.keys.Reset(keys*entrySize, 0.9, 1<<40)
	p := NewPass(&s.keys, s.entries(*over))
	p.NowMs, p.DeleteRetention, p.From, p.To, p.Producers = nowMs, s.c.RetentionMs, s.cleaned, to, s.h.State.Lasts()
	end := to
	for _, b := range s.batches {
		if b.H.BaseOffset >= to {
			break
		}
		if b.H.LastOffset() < s.cleaned {
			continue
		}
		full, err := p.Index(&b.H, b.Raw)
		if err != nil {
			s.t.Fatal(err)
		}
		if full {
			end = s.keys.Latest() + 1
			break
		}
	}
	p.Turn(s.entries(*over))
	var left []model.Batch
	scratch := []byte{}
	reached := int64(0)
	for i, b := range s.batches {
		if b.H.BaseOffset >= end {
			left = append(left, s.batches[i:]...)
			break
		}
		reached = b.H.NextOffset()
		out, ok := p.Skip(scratch, &b.H)
		if ok {
			s.skipped++
		} else {
			var err error
			if out, err = p.Clean(scratch, &b.H, b.Raw); err != nil {
				s.t.Fatal(err)
			}
		}
		if out == nil {
			continue
		}
		nb, err := model.Parse(slices.Clone(out))
		if err != nil {
			s.t.Fatal(err)
		}
		left = append(left, nb)
	}
	s.batches, s.cleaned = left, end
	s.aborted = p.TakeAborted()
	*over = max(reached, end)
	s.c.Cleaned(nowMs, *over, end)
}

func (s *shelf) check(over, nowMs int64) {
	s.t.Helper()
	view, err := model.View(s.batches, s.entries(over), s.h.Stable())
	if err == nil {
		err = s.c.Check(view, 0, nowMs, true)
	}
	if err == nil {
		err = s.c.CheckProducers(s.batches, s.entries(over))
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

func TestCleanedHistoriesShowWhatTheRulesAllow(t *testing.T) {
	skipped := 0
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 9))
			o := model.Options{Keys: 1 + r.IntN(30), Producers: r.IntN(5), Codecs: r.IntN(2) == 0, NullKeys: r.IntN(2) == 0}
			s := newShelf(t, seed, o, r.Int64N(3000))
			over := int64(0)
			for range 2 + r.IntN(8) {
				s.write(1 + r.IntN(40))
				stable := s.h.Stable()
				bounds := []int64{}
				for _, b := range s.batches {
					if b.H.BaseOffset <= stable && b.H.BaseOffset >= over {
						bounds = append(bounds, b.H.BaseOffset)
					}
				}
				if len(bounds) == 0 {
					continue
				}
				now := s.h.NowMs + r.Int64N(2000)
				s.h.NowMs = now
				s.clean(max(bounds[r.IntN(len(bounds))], s.cleaned), 1+r.Int64N(40), now, &over)
				s.check(over, now)
			}
			skipped += s.skipped
		})
	}
	if skipped < 1000 {
		t.Errorf("%d batches were decided by their headers: too few to mean anything", skipped)
	}
}

func TestInTheEndOnlyLastValuesAreLeft(t *testing.T) {
	for seed := range uint64(60) {
		s := newShelf(t, seed, model.Options{Keys: 12, Producers: 4, Codecs: true, NullKeys: true}, 1000)
		s.write(200)
		for _, b := range s.h.Settle() {
			s.took(b)
		}
		over := int64(0)
		for i := range 4 { // drop; see that markers are spent; wait; gone
			s.clean(s.h.End(), 1000, s.h.NowMs+int64(i)*2000, &over)
			s.check(over, s.h.NowMs+int64(i)*2000)
		}
		lasts := s.h.State.Lasts()
		for _, b := range s.batches {
			rs, err := b.Records()
			if err != nil {
				t.Fatal(err)
			}
			last, known := lasts[b.H.ProducerID]
			mine := known && b.H.ProducerID >= 0 && (last.Offset == b.H.LastOffset() || last.Offset < 0 && b.H.Control())
			for _, r := range rs {
				if r.NoValue {
					t.Errorf("seed %d: the tombstone at %d is still there", seed, r.Offset)
				}
			}
			if b.H.Control() && !mine && b.H.NextOffset() != s.h.End() && !s.pinned(b) {
				t.Errorf("seed %d: the marker at %d ends nothing and is still there", seed, b.H.BaseOffset)
			}
			if b.H.Count == 0 && !mine && b.H.NextOffset() != s.h.End() {
				t.Errorf("seed %d: the empty batch at %d serves nobody", seed, b.H.BaseOffset)
			}
		}
	}
}

// pinned tells whether a batch of the marker's transaction is still there.
func (s *shelf) pinned(m model.Batch) bool {
	found := false
	for _, b := range s.batches {
		if b.H.BaseOffset >= m.H.BaseOffset {
			break
		}
		if b.H.ProducerID == m.H.ProducerID {
			found = b.H.Transactional() && !b.H.Control()
		}
	}
	return found
}
