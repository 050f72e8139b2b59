package share

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// Stories (testdata/stories): what is done to a share-partition, and what it
// gives, says and stores. Times are milliseconds. A crash forgets what was not
// stored. `go test ./internal/share -run Stories -rewrite` writes them anew;
// read the difference before you keep it.

func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{s: Defaults(), stored: map[int64]Stored{}}
		s.p = New(s.s, 0)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d = t, d
			text := s.run()
			sound(t, s.p)
			return text
		})
	})
}

type story struct {
	t      *testing.T
	d      *datadriven.TestData
	s      Settings
	p      *Partition
	now    int64
	log    []Batch
	stored map[int64]Stored // by offset
	start  int64            // that was stored
}

func (s *story) run() string {
	switch s.d.Cmd {
	case "settings":
		s.settings()
		return ""
	case "log":
		s.grow()
		return ""
	case "give":
		return s.give(&Want{Member: s.word(0)})
	case "lease":
		return s.give(&Want{Leased: true, LockMs: s.num("for", 0)})
	case "ack":
		return s.ack()
	case "say":
		return s.say()
	case "advance":
		n, err := strconv.ParseInt(s.word(0), 10, 64)
		if err != nil {
			s.t.Fatal(err)
		}
		s.now += n
		s.p.Expire(s.now)
		return s.show()
	case "leave":
		s.p.Leave(s.now, s.word(0))
		return s.show()
	case "store":
		return s.store()
	case "crash":
		s.crash()
		return s.show()
	}
	s.d.Fatalf(s.t, "no command %s", s.d.Cmd)
	return ""
}

// word is the nth argument that has no value.
func (s *story) word(n int) string {
	for _, a := range s.d.CmdArgs {
		if len(a.Vals) > 0 {
			continue
		}
		if n == 0 {
			return a.Key
		}
		n--
	}
	return ""
}

func (s *story) num(key string, otherwise int64) int64 {
	for _, a := range s.d.CmdArgs {
		if a.Key == key && len(a.Vals) == 1 {
			n, err := strconv.ParseInt(a.Vals[0], 10, 64)
			if err != nil {
				s.d.Fatalf(s.t, "%s: %v", key, err)
			}
			return n
		}
	}
	return otherwise
}

func (s *story) settings() {
	s.s.LockMs, s.s.Attempts = s.num("lock", s.s.LockMs), int16(s.num("attempts", int64(s.s.Attempts)))
	s.s.MaxLocked, s.s.RetryMs = int(s.num("window", int64(s.s.MaxLocked))), s.num("retry", s.s.RetryMs)
	s.s.KeyOrdered = s.s.KeyOrdered || s.d.HasArg("keys")
	s.s.DeadLetter = s.s.DeadLetter || s.d.HasArg("letters")
	s.p = New(s.s, 0)
}

// grow appends a batch: a record for each letter, which is its key ('-': none).
func (s *story) grow() {
	first := int64(0)
	if k := len(s.log); k > 0 {
		first = s.log[k-1].Last + 1
	}
	s.log = append(s.log, keyed(first, s.word(0)))
}

func (s *story) give(w *Want) string {
	s.p.Expire(s.now)
	w.NowMs, w.MaxRecords, w.Strict = s.now, int(s.num("max", 0)), true
	from, ok := s.p.Next(s.now)
	if !ok {
		return "nothing: the window is full, or what is left waits\n"
	}
	var text []string
	for _, r := range s.p.Acquire(w, from, s.log, nil) {
		text = append(text, fmt.Sprintf("%d-%d delivery %d", r.First, r.Last, r.Count))
	}
	if len(text) == 0 {
		return "nothing\n"
	}
	return strings.Join(text, "\n") + "\n"
}

var ackTypes = map[string]AckType{"gap": Gap, "accept": Accept, "release": Release, "reject": Reject, "renew": Renew}

// ack is ack MEMBER FIRST-LAST TYPE.
func (s *story) ack() string {
	a, b, _ := strings.Cut(s.word(1), "-")
	first, err := strconv.ParseInt(a, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	last := first
	if b != "" {
		if last, err = strconv.ParseInt(b, 10, 64); err != nil {
			s.t.Fatal(err)
		}
	}
	if err := s.p.Acknowledge(s.now, s.word(0), []Ack{{first, last, []AckType{ackTypes[s.word(2)]}}}); err != nil {
		return "refused: " + err.Error() + "\n"
	}
	return s.show()
}

// say is say OFFSET.DELIVERY TYPE for=MS late.
func (s *story) say() string {
	a, b, _ := strings.Cut(s.word(0), ".")
	offset, err := strconv.ParseInt(a, 10, 64)
	count, bad := strconv.ParseInt(b, 10, 16)
	if err != nil || bad != nil {
		s.d.Fatalf(s.t, "no receipt: %s", s.word(0))
	}
	w := Word{Receipt: Receipt{Offset: offset, Count: int16(count)}, Type: ackTypes[s.word(1)], ForMs: s.num("for", 0), Late: s.d.HasArg("late")}
	if err := s.p.Redeem(s.now, &w); err != nil {
		return "refused: " + err.Error() + "\n"
	}
	return s.show()
}

// show tells where everything stands.
func (s *story) show() string {
	var b strings.Builder
	fmt.Fprintf(&b, "at %d: start %d, end %d", s.now, s.p.Start(), s.p.End())
	if parked := s.p.ParkedAt(100); len(parked) > 0 {
		fmt.Fprintf(&b, ", parked %v", parked)
	}
	b.WriteByte('\n')
	for _, x := range s.p.spans {
		fmt.Fprintf(&b, "  %d-%d %s", x.first, x.last, x.state)
		if x.count > 0 {
			fmt.Fprintf(&b, " after %d deliveries", x.count)
		}
		switch {
		case x.leased():
			fmt.Fprintf(&b, ", leased until %d", x.atMs)
		case x.owner != nil:
			fmt.Fprintf(&b, ", for %s until %d", x.owner.member, x.atMs)
		case x.atMs != 0:
			fmt.Fprintf(&b, ", not before %d", x.atMs)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *story) store() string {
	w, ok := s.p.Changes()
	if !ok {
		return "nothing to store\n"
	}
	s.p.Stored()
	var b strings.Builder
	fmt.Fprintf(&b, "start %d, %d done\n", w.Start, w.Done)
	for _, r := range w.Changed {
		fmt.Fprintf(&b, "  %d-%d %s count %d", r.First, r.Last, r.State, r.Count)
		for _, f := range []struct {
			name string
			n    int64
		}{{"not before", r.NotBeforeMs}, {"until", r.UntilMs}, {"key lock", int64(r.KeyLock)}} {
			if f.n != 0 {
				fmt.Fprintf(&b, ", %s %d", f.name, f.n)
			}
		}
		b.WriteByte('\n')
		for at := r.First; at <= r.Last; at++ {
			one := r
			one.First, one.Last = at, at
			s.stored[at] = one
		}
	}
	s.start = w.Start
	return b.String()
}

func (s *story) crash() {
	var rows []Stored
	for _, r := range s.stored {
		if r.First >= s.start {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b Stored) int { return int(a.First - b.First) })
	s.p = Load(s.s, s.start, rows)
	s.p.Expire(s.now)
}
