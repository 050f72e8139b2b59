package known

import (
	"regexp"
	"sync"
)

// Difference is one listed difference. All patterns are regular expressions
// that must match from beginning to end.
type Difference struct {
	// Part is the section of docs/compatibility.md that shows it: an API's
	// name, or what else it belongs to; "" for Lines and Native, which have
	// sections of their own.
	Part string
	// Where it shows: "story/step/field" for Answers, "script step" for Lines.
	Where string
	// Kafka and Ottla are what each says; "" is anything.
	Kafka, Ottla string
	// What it is and Reason why it is meant, in sentences for the reader of
	// docs/compatibility.md.
	What, Reason string
}

// List finds differences. It is not safe for concurrent use.
type List struct {
	all  []Difference
	uses []int
}

// NewList makes a list of its own for one run.
func NewList(all []Difference) *List { return &List{all: all, uses: make([]int, len(all))} }

// Find gives the listed difference that excuses what was seen, nil when none
// does, and notes its use.
func (l *List) Find(where, kafka, ottla string) *Difference {
	for i := range l.all {
		d := &l.all[i]
		if whole(d.Where, where) && (d.Kafka == "" || whole(d.Kafka, kafka)) && (d.Ottla == "" || whole(d.Ottla, ottla)) {
			l.uses[i]++
			return d
		}
	}
	return nil
}

// Unused gives the differences that excused nothing: when everything was
// compared, they are gone and their rows should go too.
func (l *List) Unused() []Difference {
	var out []Difference
	for i, n := range l.uses {
		if n == 0 {
			out = append(out, l.all[i])
		}
	}
	return out
}

// Uses tells how often each difference was met, in the list's order.
func (l *List) Uses() []int { return l.uses }

var compiled sync.Map // pattern to *regexp.Regexp

func whole(pattern, s string) bool {
	r, ok := compiled.Load(pattern)
	if !ok {
		r, _ = compiled.LoadOrStore(pattern, regexp.MustCompile(`^(?s:`+pattern+`)$`))
	}
	return r.(*regexp.Regexp).MatchString(s)
}
