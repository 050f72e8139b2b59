package partition

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
)

func TestReadCommittedInEveryInterleaving(t *testing.T) {
	// Three transactions in one partition: what each does, in the order given.
	for _, order := range interleavings([]string{"a+", "a=", "b+", "b-", "c+", "c="}) {
		r := memRig(t)
		var want []string
		ended := map[byte]bool{}
		for i, step := range order {
			id := int64(step[0])
			switch step[1] {
			case '+':
				r.put(part(id, 0, 0, step), inTxn(0))
			case '=':
				r.put(marker(id, 1, true), strict)
			case '-':
				r.put(marker(id, 1, false), strict)
			}
			r.round()
			ended[step[0]] = step[1] != '+'
			// The last stable offset is that of the first batch without an end.
			stable := int64(i + 1)
			for j := i; j >= 0; j-- {
				if !ended[order[j][0]] {
					stable = int64(j)
				}
			}
			if got := r.p.Offsets().LastStable; got != stable {
				t.Fatalf("%v: last stable offset %d after %d steps, want %d", order, got, i+1, stable)
			}
		}
		for _, step := range order {
			if step[1] == '+' && step[0] != 'b' {
				want = append(want, step)
			}
		}
		for from := range int64(6) {
			left := want
			for i := range from {
				left = slices.DeleteFunc(slices.Clone(left), func(v string) bool { return v == order[i] })
			}
			if got := r.readAll(from, 1<<20).values(); !slices.Equal(got, left) {
				t.Fatalf("%v from %d: %q, want %q", order, from, got, left)
			}
		}
	}
}

// interleavings are all orders of steps in which each letter's begin comes
// before its end.
func interleavings(steps []string) (out [][]string) {
	if len(steps) == 0 {
		return [][]string{nil}
	}
	for i, s := range steps {
		if i > 0 && steps[i-1][0] == s[0] {
			continue // its begin comes first
		}
		for _, rest := range interleavings(slices.Delete(slices.Clone(steps), i, i+1)) {
			out = append(out, append([]string{s}, rest...))
		}
	}
	return out
}

func TestRetentionMayTakeTheBeginningOfAnOpenTransaction(t *testing.T) {
	r := memRig(t, func(c *Config) { c.Log.SegmentBytes, c.Log.RetentionAge = 400, time.Hour })
	r.put(part(1, 0, 0, "old"), inTxn(0))
	for i := range 6 {
		r.put(valued(fmt.Sprint("plain ", i, string(make([]byte, 100)))), all)
	}
	r.put(part(1, 0, 1, "open still"), inTxn(0))
	r.round()
	if o := r.p.Offsets(); o.LastStable != 0 {
		t.Fatalf("%+v, want the last stable offset at the transaction's first batch", o)
	}
	r.clock.Advance(2 * time.Hour)
	if err := r.p.Retain(); err != nil {
		t.Fatal(err)
	}
	o := r.p.Offsets()
	if o.LogStart == 0 || o.LastStable != o.LogStart {
		t.Fatalf("%+v, want the last stable offset at the start of the log", o)
	}
	infos, err := r.p.Producers()
	if err != nil || len(infos) != 1 || infos[0].CurrentTxnStartOffset != 0 {
		t.Errorf("producers %+v %v, want the transaction from offset 0", infos, err)
	}
	r.restart()
	if again := r.p.Offsets(); again.LastStable != o.LogStart {
		t.Errorf("%+v after a restart, want %+v", again, o)
	}
	r.put(marker(1, 1, false), strict)
	r.round()
	if o := r.p.Offsets(); o.LastStable != o.LogEnd {
		t.Errorf("%+v after the end", o)
	}
	for _, v := range r.readAll(o.LogStart, 1<<20).values() {
		if v == "open still" {
			t.Error("read_committed reads what was aborted")
		}
	}
}

func TestCompactionKeepsTransactionsAsTheyAre(t *testing.T) {
	r := memRig(t, func(c *Config) {
		c.Log.Compact, c.Log.Delete, c.Log.SegmentBytes = true, false, 600
	})
	keyed := func(key, value string, adjust ...func(*record.Builder)) []byte {
		b := record.NewBuilder()
		for _, f := range adjust {
			f(b)
		}
		b.Add(epochOfTests.UnixMilli(), []byte(key), []byte(value))
		return b.Build(0)
	}
	last := map[string]string{}
	for round := range 30 {
		id := int64(round % 3)
		key := fmt.Sprint("key ", round%7)
		value := fmt.Sprint("value ", round)
		epoch := int16(round / 3)
		r.put(keyed(key, value, from(id, epoch, 0), transactional), inTxn(0))
		commit := round%4 > 0
		r.put(marker(id, epoch+1, commit), strict)
		if commit {
			last[key] = value
		}
	}
	r.put(part(9, 0, 0, "open"), inTxn(0)) // holds the cleaner back from here on
	r.round()
	check := func(when string) {
		t.Helper()
		got := map[string]string{}
		from := int64(0)
		for {
			f, b := r.get(committed(from))
			if len(b) == 0 {
				break
			}
			c := committedReader{t: t, next: from}
			c.take(&f, b)
			for _, h := range split(t, b) {
				batch := b[:h.Size()]
				b = b[h.Size():]
				if h.Control() {
					continue
				}
				if err := record.Walk(batch, 1<<20, func(x *record.Record) bool {
					if slices.ContainsFunc(c.seen, func(s seenRecord) bool { return s.offset == h.BaseOffset+int64(x.OffsetDelta) }) {
						got[string(x.Key)] = string(x.Value)
					}
					return true
				}); err != nil {
					t.Fatal(err)
				}
			}
			from = c.next
		}
		if fmt.Sprint(got) != fmt.Sprint(last) {
			t.Errorf("%s: read_committed reads %v, want %v", when, got, last)
		}
	}
	check("before")
	for pass := range 3 {
		cleaned, err := r.p.Clean(&log.Cleaner{KeyBytes: 1 << 20, LoadFactor: 0.9, BufferBytes: 1 << 16})
		if err != nil && pass == 0 {
			t.Fatalf("%+v, %v", cleaned, err)
		}
		check(fmt.Sprint("after pass ", pass))
		r.restart()
		check(fmt.Sprint("after a restart, pass ", pass))
		r.clock.Advance(48 * time.Hour)
	}
	if infos, _ := r.p.Producers(); len(infos) != 4 || infos[3].CurrentTxnStartOffset < 0 {
		t.Errorf("producers %+v, want all four, the last with an open transaction", infos)
	}
}
