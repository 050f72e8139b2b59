package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"ottla/internal/event/pattern"
)

// tally counts what was compared.
type tally struct {
	patterns, pairs, fits, refused int
	kinds                          map[string]int // pairs with the operator
	explained                      map[string]int // by reason
	unclear                        []unclear
	wrong                          int // differences that nothing explains
	shown                          []string
	show                           int
	matcher                        pattern.Matcher
}

func newTally(show int) *tally {
	return &tally{kinds: map[string]int{}, explained: map[string]int{}, show: show}
}

// judge compares a batch with what event-ruler says.
func (t *tally) judge(batch []drawn, theirs []string) error {
	edit := pattern.NewSet().Edit()
	compiled := make([]*pattern.Pattern, len(batch))
	for i, d := range batch {
		p, err := pattern.Parse([]byte(d.pattern))
		t.patterns++
		if refused := theirs[i][0] == '!'; refused || err != nil {
			t.refused++
			if refused != (err != nil) {
				t.differ(d.pattern, "", fmt.Sprintf("ours: %v, theirs: %s", err, theirs[i]))
			}
			t.pairs += len(d.events)
			continue
		}
		compiled[i] = p
		edit.Put(pattern.ID(i), p)
	}
	set := edit.Set()
	for i, d := range batch {
		if compiled[i] == nil {
			continue
		}
		for j, event := range d.events {
			if err := t.pair(set, compiled, i, d, event, theirs[i][j]); err != nil {
				return err
			}
		}
	}
	return nil
}

// pair compares one event; all our patterns see it, together and one by one.
func (t *tally) pair(set *pattern.Set, compiled []*pattern.Pattern, i int, d drawn, event string, their byte) error {
	t.pairs++
	for _, k := range d.kinds {
		t.kinds[k]++
	}
	ids, err := set.Match([]byte(event), &t.matcher, nil)
	if err != nil {
		return fmt.Errorf("a drawn event is refused: %w: %s", err, event)
	}
	ours := slices.Contains(ids, pattern.ID(i))
	if ours {
		t.fits++
	}
	if their == 'x' || ours != (their == '1') {
		t.differ(d.pattern, event, fmt.Sprintf("ours: %v, theirs: %c", ours, their))
	}
	explanation, err := compiled[i].Explain([]byte(event))
	if err != nil || explanation.Matched != ours {
		return fmt.Errorf("%s\nexplains %s\nas %v, %v, and the set says %v", d.pattern, event, explanation, err, ours)
	}
	if t.pairs%16 > 0 {
		return nil
	}
	for n, p := range compiled { // a sample: what all rules say alone
		if p == nil {
			continue
		}
		alone, err := p.Matches([]byte(event))
		if err != nil || alone != slices.Contains(ids, pattern.ID(n)) {
			return fmt.Errorf("rule %d says %v (%v) to %s alone, and %v among the others", n, alone, err, event, !alone)
		}
	}
	return nil
}

// differ notes a difference.
func (t *tally) differ(p, event, what string) {
	t.unclear = append(t.unclear, unclear{p, event, what})
}

// tell prints what was seen.
func (t *tally) tell(w io.Writer) {
	fmt.Fprintf(w, "%d pairs of %d patterns (%d refused by both), %.1f %% fit\n", t.pairs, t.patterns, t.refused, 100*float64(t.fits)/float64(t.pairs))
	for _, k := range slices.Sorted(maps.Keys(t.kinds)) {
		fmt.Fprintf(w, "  %5.1f %%  %s\n", 100*float64(t.kinds[k])/float64(t.pairs), k)
	}
	for _, reason := range slices.Sorted(maps.Keys(t.explained)) {
		fmt.Fprintf(w, "explained %d times: %s\n", t.explained[reason], reason)
	}
	for _, s := range t.shown {
		fmt.Fprintln(w, s)
	}
	fmt.Fprintf(w, "%d differences that nothing explains\n", t.wrong)
}

// enough tells whether what was drawn says something.
func (t *tally) enough() error {
	if t.fits*10 < t.pairs*3 {
		return errors.New("fewer than 30 % of the pairs fit")
	}
	for k, n := range t.kinds {
		if n*100 < t.pairs && k != "wrong" { // what is refused makes no pairs
			return fmt.Errorf("%s is in fewer than 1 %% of the pairs", k)
		}
	}
	return nil
}
