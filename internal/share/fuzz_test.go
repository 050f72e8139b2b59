package share

import (
	"encoding/binary"
	"testing"
)

// FuzzLoad holds that no stored rows, however odd, make a state panic or break
// its list, and that what it tells to store loads again to where it was.
func FuzzLoad(f *testing.F) {
	row := func(first, last int64, state, count byte) []byte {
		b := binary.BigEndian.AppendUint64(nil, uint64(first))
		b = binary.BigEndian.AppendUint64(b, uint64(last))
		return append(b, state, count)
	}
	f.Add(int64(0), false, row(0, 5, 2, 1))
	f.Add(int64(3), true, append(row(7, 9, 0, 1), row(8, 1<<40, 4, 0)...))
	f.Add(int64(10), true, append(row(10, 12, 3, 5), row(11, 11, 1, 2)...))
	f.Fuzz(func(t *testing.T, start int64, ordered bool, raw []byte) {
		if start < 0 || start > 1<<60 {
			return
		}
		var rows []Stored
		for ; len(raw) >= 18 && len(rows) < 200; raw = raw[18:] {
			rows = append(rows, Stored{
				First: int64(binary.BigEndian.Uint64(raw)), Last: int64(binary.BigEndian.Uint64(raw[8:])),
				State: State(int8(raw[16])), Count: int16(raw[17]), NotBeforeMs: int64(raw[17] & 3),
				UntilMs: int64(raw[17] & 4), KeyLock: uint64(raw[17] & 8),
			})
		}
		s := Defaults()
		s.KeyOrdered, s.DeadLetter = ordered, true
		p := Load(s, start, rows)
		sound(t, p)
		if from, ok := p.Next(10); ok && from < 1<<61 {
			b := Batch{First: from, Last: from + 9}
			for at := b.First; at <= b.Last; at++ {
				b.Records = append(b.Records, Record{Offset: at, Key: uint64(at % 3), Keyed: true})
			}
			for _, g := range p.Acquire(&Want{Member: "m", NowMs: 10, MaxRecords: 5, Strict: true}, from, []Batch{b}, nil) {
				if err := p.Acknowledge(10, "m", []Ack{{g.First, g.Last, []AckType{Reject}}}); err != nil {
					t.Fatal(err)
				}
			}
		}
		sound(t, p)
		_ = p.Redeem(10, &Word{Receipt: Receipt{Offset: start + 1, Count: 4}, Type: Release, ForMs: 5}) // must only not break the list
		p.Changes()
		p.Expire(1 << 60)
		p.Leave(20, "m")
		p.Trim(p.Start() + 2)
		p.Stats()
		sound(t, p)
	})
}

// sound checks the list's own invariants.
func sound(t *testing.T, p *Partition) {
	t.Helper()
	at := p.start
	for i := range p.spans {
		s := &p.spans[i]
		if s.first != at || s.last < s.first || (s.state == Acquired) != (s.owner != nil) {
			t.Fatalf("span %d of %d is wrong: %+v after %d", i, len(p.spans), *s, at)
		}
		at = s.last + 1
	}
	if at != p.end {
		t.Fatalf("the spans end at %d, the end is %d", at, p.end)
	}
}
