package dlq

import (
	"errors"
	"math/rand"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/letter"
)

// twin is a progress as a set.
type twin map[int64]bool

func (w twin) agrees(t *testing.T, p *Progress, end int64) {
	t.Helper()
	var n int64
	for o := range end {
		if p.Has(o) != w[o] {
			t.Fatalf("Has(%d) is %v: %+v", o, p.Has(o), p)
		}
		if w[o] {
			n++
		}
	}
	if got := p.Past(0, end); got != n {
		t.Fatalf("Past gives %d, want %d: %+v", got, n, p)
	}
	if w[p.Next] {
		t.Fatalf("Next is %d, which is done: %+v", p.Next, p)
	}
}

func TestProgressIsWhatASetIs(t *testing.T) {
	const end = 60
	for seed := range int64(300) {
		rnd := rand.New(rand.NewSource(seed))
		p, w := new(Progress), twin{}
		for range 25 {
			first := rnd.Int63n(end)
			last := min(end, first+rnd.Int63n(6))
			p.Add(first, last)
			for o := first; o < last; o++ {
				w[o] = true
			}
			w.agrees(t, p, end)
			text, err := p.metadata()
			if err != nil {
				t.Fatal(err)
			}
			back, err := parseProgress(p.Next, text)
			if err != nil {
				t.Fatalf("seed %d: %q: %v", seed, text, err)
			}
			w.agrees(t, back, end)
		}
	}
}

func TestProgressThatDoesNotFitIsAnError(t *testing.T) {
	p := new(Progress)
	for o := int64(1); o < 10_000; o += 2 {
		p.Add(o, o+1)
	}
	if text, err := p.metadata(); err == nil {
		t.Errorf("%d bytes of metadata were made", len(text))
	}
	few, q := new(Progress), &Queue{Parts: []*Part{{Progress: p}}}
	if err := q.fits(map[*kgo.Record]*letter.Letter{nil: {Offset: 20_000}}); !errors.Is(err, errScattered) || p.Has(20_000) {
		t.Errorf("one letter more fits: %v", err)
	}
	q.Parts[0].Progress = few
	if err := q.fits(map[*kgo.Record]*letter.Letter{nil: {Offset: 20_000}}); err != nil || few.Has(20_000) {
		t.Errorf("one letter does not fit, or is done before it is: %v", err)
	}
	p.Add(0, 10_000)
	if text, err := p.metadata(); err != nil || text != "" || p.Next != 10_000 {
		t.Errorf("got %q, %v, next %d", text, err, p.Next)
	}
}

func TestProgressOfOthersIsRefused(t *testing.T) {
	for _, text := range []string{"x", "ottla-redrive 2 1+1", form, form + "0+1", form + "1+0", form + "1", form + "1+1 ", form + "-1+1", form + "4611686018427387903+4611686018427387903 1+1", form + "99999999999999999999+1"} {
		if p, err := parseProgress(5, text); err == nil {
			t.Errorf("%q gave %+v", text, p)
		}
	}
	if p, err := parseProgress(-1, ""); err != nil || p.Next != 0 {
		t.Errorf("without a commit: %+v, %v", p, err)
	}
}

func FuzzProgress(f *testing.F) {
	f.Add(int64(3), form+"1+2 3+4")
	f.Add(int64(0), form+"9+9")
	f.Add(int64(1)<<62, form+"4000000000000000000+1")
	f.Fuzz(func(t *testing.T, next int64, text string) {
		p, err := parseProgress(next, text)
		if err != nil {
			return
		}
		again, err := p.metadata()
		if err != nil {
			return // longer than we write
		}
		back, err := parseProgress(p.Next, again)
		if err != nil {
			t.Fatalf("%q became %q: %v", text, again, err)
		}
		if len(back.done) != len(p.done) || strings.Count(again, "+") != len(p.done) {
			t.Fatalf("%q became %q", text, again)
		}
		for _, s := range p.done {
			if s.end <= s.first || s.first <= p.Next || !back.Has(s.first) || !back.Has(s.end-1) || back.Has(s.end) && s.end < p.Next {
				t.Fatalf("%q: stretch %+v of %+v", text, s, p)
			}
		}
	})
}
