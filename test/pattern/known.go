package main

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/event/pattern"
)

// difference is one that is meant. It explains a pair that was judged differently
// if both judge alike once its cause is taken out of the pair.
type difference struct {
	reason string
	// without takes the cause out of a pattern and an event.
	without func(pattern, event string) (string, string)
}

var (
	bareNumber = regexp.MustCompile(`([\[:,]\s*)-?[0-9][0-9.eE+-]*(\s*[,\]}])`)
	dottedName = regexp.MustCompile(`"([^"\s.]+(?:\.[^"\s.]+)+)":`)
	smallest   = regexp.MustCompile(`\b5e-324\b`)
	four       = regexp.MustCompile(`"[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+"`)
	six        = regexp.MustCompile(`"[0-9a-fA-F]*:[0-9a-fA-F]*:[0-9a-fA-F:]*"`)
	escaped    = regexp.MustCompile(`\\u00[2-7][0-9a-f]`)
)

// differences are all of them, but for those of the tests of one list.
var differences = []difference{
	{
		"event-ruler compares addresses by their hexadecimal digits, and takes a number's digits for such: 161 is in 22.16.0.0/12",
		func(p, e string) (string, string) { // twice, since neighbours share a comma
			return p, bareNumber.ReplaceAllString(bareNumber.ReplaceAllString(e, "${1}null${2}"), "${1}null${2}")
		},
	},
	{
		"for event-ruler an address of IPv4 is in a network of IPv6, or the other way round, if its first hexadecimal digits are",
		func(p, e string) (string, string) { return p, four.ReplaceAllString(plain(e), `"none"`) },
	},
	{
		"for event-ruler an address of IPv4 is in a network of IPv6, or the other way round, if its first hexadecimal digits are",
		func(p, e string) (string, string) { return p, six.ReplaceAllString(plain(e), `"none"`) },
	},
	{
		"a path that has values in a list's elements and, by a name with dots, others outside: event-ruler forgets those outside",
		func(p, e string) (string, string) {
			return p, dottedName.ReplaceAllStringFunc(e, func(name string) string { return strings.ReplaceAll(name, ".", "_") })
		},
	},
	{
		"5e-324, the least number of binary64, is one for us; Java writes it 4.9E-324, so event-ruler takes it for one that binary64 does not have",
		func(p, e string) (string, string) {
			return smallest.ReplaceAllString(p, "1"), smallest.ReplaceAllString(e, "1")
		},
	},
}

// selfContradiction is a difference that is gone when event-ruler is asked about
// the tests of each list one by one: a list passes when one of its tests does.
const selfContradiction = "event-ruler contradicts itself: tests that share a list disturb each other in its automaton, and asked about one by one they pass as ours do"

// plain writes escaped ASCII characters as themselves.
func plain(text string) string {
	return escaped.ReplaceAllStringFunc(text, func(e string) string {
		n, err := strconv.ParseUint(e[2:], 16, 8)
		if c := byte(n); err != nil || c == '"' || c == '\\' || c == 0x7f {
			return e
		}
		return string(rune(n))
	})
}

// unclear is a pair that was judged differently.
type unclear struct{ pattern, event, what string }

// settle finds the reasons of what was judged differently.
func (t *tally) settle(r *ruler) error {
	for _, u := range t.unclear {
		reason, err := explain(u, r)
		if err != nil {
			return err
		}
		if reason != "" {
			t.explained[reason]++
			continue
		}
		if t.wrong++; len(t.shown) < t.show {
			t.shown = append(t.shown, "DIFFERS "+u.what+"\n  pattern "+u.pattern+"\n  event   "+u.event)
		}
	}
	t.unclear = t.unclear[:0]
	return nil
}

// explain is the reason for a difference, "" if it has none.
func explain(u unclear, r *ruler) (string, error) {
	if alike, err := alikeOneByOne(u.pattern, u.event, r); alike || err != nil {
		return selfContradiction, err
	}
	for i, d := range differences {
		p, e := d.without(u.pattern, u.event)
		if p == u.pattern && e == u.event {
			continue
		}
		if alike, err := judgedAlike(p, e, r); alike || err != nil {
			return d.reason, err
		}
		for _, other := range differences[i+1:] { // both may be at work, each enough by itself
			both, event := other.without(p, e)
			if both == p && event == e {
				continue
			}
			if alike, err := judgedAlike(both, event, r); alike || err != nil {
				return d.reason + "; and in the same pair: " + other.reason, err
			}
		}
	}
	return "", nil
}

// judgedAlike tells whether both judge a pair alike, asked at once or test by test.
func judgedAlike(text, event string, r *ruler) (bool, error) {
	if alike, err := alikeOneByOne(text, event, r); alike || err != nil {
		return alike, err
	}
	theirs, err := r.ask([]drawn{{pattern: text, events: []string{event}}})
	if err != nil {
		return false, err
	}
	return theirs[0][:1] == ourAnswer(text, event), nil
}

// ourAnswer is ours in the form of event-ruler's.
func ourAnswer(text, event string) string {
	p, err := pattern.Parse([]byte(text))
	if err != nil {
		return "!"
	}
	fits, err := p.Matches([]byte(event))
	switch {
	case err != nil:
		return "x"
	case fits:
		return "1"
	}
	return "0"
}

// mostSingles bounds into how many patterns of single tests one is taken apart.
const mostSingles = 2000

// alikeOneByOne tells whether both judge alike if event-ruler is asked about each
// choice of one test from each list, of which one must fit.
func alikeOneByOne(text, event string, r *ruler) (bool, error) {
	var root any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&root); err != nil {
		return false, nil // both refuse it, or it is no question of tests
	}
	var questions []drawn
	for _, s := range singles(root, false) {
		out, err := json.Marshal(s)
		if err != nil {
			return false, err
		}
		questions = append(questions, drawn{pattern: string(out), events: []string{event}})
	}
	theirs := "0"
	for len(questions) > 0 {
		n := min(len(questions), patternsInBatch)
		answers, err := r.ask(questions[:n])
		if err != nil {
			return false, err
		}
		for _, a := range answers {
			if a[0] != '0' {
				theirs = a[:1]
			}
		}
		questions = questions[n:]
	}
	return theirs == ourAnswer(text, event), nil
}

// singles are the patterns that have one test in each list of this one.
func singles(v any, or bool) []any {
	switch v := v.(type) {
	case []any:
		if !or { // tests of a field
			all := make([]any, len(v))
			for i, t := range v {
				all[i] = []any{t}
			}
			return all
		}
		all := []any{[]any{}}
		for _, object := range v {
			all = times(all, singles(object, false), func(a, b any) any { return append(slices.Clone(a.([]any)), b) })
		}
		return all
	case map[string]any:
		all := []any{map[string]any{}}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = times(all, singles(v[name], name == "$or"), func(a, b any) any {
				m := maps.Clone(a.(map[string]any))
				m[name] = b
				return m
			})
		}
		return all
	}
	return []any{v}
}

// times joins each of a with each of b, up to a bound.
func times(a, b []any, join func(a, b any) any) (all []any) {
	for _, x := range a {
		for _, y := range b {
			if len(all) < mostSingles {
				all = append(all, join(x, y))
			}
		}
	}
	return all
}
