package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// placed is a value at a path below the object that is being written.
type placed struct{ path, value string }

// drawEvent makes an event for fields: most of their values pass, some miss by a
// little, and some are not there.
func drawEvent(rng *rand.Rand, fields []drawnField) string {
	var all []placed
	miss := rng.IntN(3) == 0
	for _, f := range fields {
		t := f.tests[rng.IntN(len(f.tests))]
		v := t.fit()
		switch n := rng.IntN(12); {
		case v == "" && n > 0, n == 1 && miss:
			continue
		case n == 0:
			v = someValue(rng)
		case miss && n < 7:
			v = mutate(rng, v)
		}
		all = append(all, placed{f.path, v})
	}
	for range rng.IntN(4) { // what nobody asked for, or a second value
		p := paths[rng.IntN(len(paths))]
		if rng.IntN(3) == 0 || !slices.ContainsFunc(all, func(o placed) bool { return o.path == p }) {
			all = append(all, placed{p, someValue(rng)})
		}
	}
	out := writeObject(rng, all)
	if rng.IntN(10) == 0 {
		var b bytes.Buffer
		if json.Indent(&b, []byte(out), "", "  ") == nil {
			return b.String()
		}
	}
	return out
}

// writeObject writes values below an object, here and there through lists.
func writeObject(rng *rand.Rand, all []placed) string {
	var names []string
	groups := map[string][]placed{}
	for _, p := range all {
		name, rest, deeper := strings.Cut(p.path, ".")
		if deeper && rng.IntN(40) == 0 && !slices.Contains(names, name) {
			name, rest, deeper = p.path, "", false // dots in a name
		}
		if !deeper {
			rest = ""
		}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
		groups[name] = append(groups[name], placed{rest, p.value})
	}
	rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	for i, name := range names {
		names[i] = fmt.Sprintf("%q:%s", name, writeGroup(rng, groups[name]))
	}
	return "{" + strings.Join(names, ",") + "}"
}

// writeGroup writes what lies below one name: values, objects, or both in a list.
func writeGroup(rng *rand.Rand, all []placed) string {
	var leaves []string
	var below []placed
	for _, p := range all {
		if p.path == "" {
			leaves = append(leaves, p.value)
		} else {
			below = append(below, p)
		}
	}
	if len(leaves) == 1 && len(below) == 0 && rng.IntN(5) > 0 {
		return leaves[0]
	}
	if len(leaves) == 0 && rng.IntN(3) > 0 {
		return writeObject(rng, below)
	}
	elements := leaves
	if len(below) > 0 {
		parts := make([][]placed, 1+rng.IntN(3))
		for _, p := range below {
			i := 0
			if rng.IntN(4) == 0 {
				i = rng.IntN(len(parts))
			}
			parts[i] = append(parts[i], p)
		}
		for _, part := range parts {
			elements = append(elements, writeObject(rng, part))
		}
	}
	for range rng.IntN(3) {
		elements = append(elements, someValue(rng))
	}
	rng.Shuffle(len(elements), func(i, j int) { elements[i], elements[j] = elements[j], elements[i] })
	for i := range elements {
		if rng.IntN(12) == 0 {
			elements[i] = "[" + elements[i] + "]"
		}
	}
	return "[" + strings.Join(elements, ",") + "]"
}

// mutate changes a value a little.
func mutate(rng *rand.Rand, v string) string {
	var s string
	if json.Unmarshal([]byte(v), &s) != nil {
		switch rng.IntN(4) {
		case 0:
			return text(rng, v) // a string of the same characters
		case 1:
			if n, err := json.Number(v).Float64(); err == nil {
				return fmt.Sprint(n + float64(rng.IntN(3)-1))
			}
		}
		return number(rng)
	}
	runes := []rune(s)
	at := rng.IntN(len(runes) + 1)
	switch n := rng.IntN(6); {
	case n == 0 || len(runes) == 0:
		return text(rng, string(slices.Insert(runes, at, []rune(parts[rng.IntN(len(parts))])...)))
	case n == 1:
		at = min(at, len(runes)-1)
		return text(rng, string(slices.Delete(runes, at, at+1)))
	case n == 2:
		return text(rng, otherCase(rng, s))
	case n == 3:
		at = min(at, len(runes)-1)
		runes[at] = []rune("ab019.:-")[rng.IntN(8)]
		return text(rng, string(runes))
	case n == 4:
		return text(rng, string(runes)+string(runes[at:]))
	}
	return text(rng, s+" ")
}
