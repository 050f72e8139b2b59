package pattern

import (
	"encoding/json"
	"math/big"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// The twin says what a pattern means in the plainest way: it flattens the event,
// tries every combination of values, and knows no keys, programs or scopes. It
// takes patterns that Parse takes.

// leaf is one value of a flattened event.
type leaf struct {
	path  string
	value any         // string, json.Number, bool or nil
	in    map[int]int // which element of which list it lies in
}

func twinMatches(pattern, event string) bool {
	var p map[string]any
	d := json.NewDecoder(strings.NewReader(pattern))
	d.UseNumber()
	if err := d.Decode(&p); err != nil {
		panic(err)
	}
	var e any
	d = json.NewDecoder(strings.NewReader(event))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		panic(err)
	}
	lists := 0
	var leaves []leaf
	flatten(e, "", map[int]int{}, &lists, &leaves)
	for _, fields := range twinBranches(p, "") {
		slices.SortFunc(fields, func(a, b twinField) int { return strings.Compare(a.path, b.path) })
		if twinFits(fields, leaves, map[int]int{}) {
			return true
		}
	}
	return false
}

func flatten(v any, path string, in map[int]int, lists *int, out *[]leaf) {
	switch v := v.(type) {
	case map[string]any:
		for name, below := range v {
			flatten(below, join(path, name), in, lists, out)
		}
	case []any:
		list := *lists
		*lists++
		for i, item := range v {
			switch item.(type) {
			case map[string]any, []any:
				inner := map[int]int{list: i}
				for k, n := range in {
					inner[k] = n
				}
				flatten(item, path, inner, lists, out)
			default:
				flatten(item, path, in, lists, out)
			}
		}
	default:
		*out = append(*out, leaf{path, v, in})
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

type twinField struct {
	path  string
	tests []any
}

// twinBranches multiplies $or out.
func twinBranches(o map[string]any, path string) [][]twinField {
	all := [][]twinField{nil}
	times := func(more [][]twinField) {
		var next [][]twinField
		for _, a := range all {
			for _, b := range more {
				next = append(next, slices.Concat(a, b))
			}
		}
		all = next
	}
	for name, v := range o {
		switch v := v.(type) {
		case map[string]any:
			times(twinBranches(v, join(path, name)))
		case []any:
			if name != "$or" {
				times([][]twinField{{{join(path, name), v}}})
				continue
			}
			var more [][]twinField
			for _, item := range v {
				more = append(more, twinBranches(item.(map[string]any), path)...)
			}
			times(more)
		}
	}
	return all
}

// twinFits tries every value for the first field that agrees with the elements
// that the fields before it are tied to, and then the rest.
func twinFits(fields []twinField, leaves []leaf, tied map[int]int) bool {
	if len(fields) == 0 {
		return true
	}
	f, absent := fields[0], true
	for _, l := range leaves {
		if l.path != f.path || !agrees(l.in, tied) {
			continue
		}
		absent = false
		if !slices.ContainsFunc(f.tests, func(t any) bool { return twinPasses(t, l.value) }) {
			continue
		}
		next := map[int]int{}
		for _, m := range []map[int]int{tied, l.in} {
			for k, n := range m {
				next[k] = n
			}
		}
		if twinFits(fields[1:], leaves, next) {
			return true
		}
	}
	wantsAbsent := slices.ContainsFunc(f.tests, func(t any) bool {
		o, ok := t.(map[string]any)
		return ok && o["exists"] == false
	})
	return absent && wantsAbsent && twinFits(fields[1:], leaves, tied)
}

func agrees(a, b map[int]int) bool {
	for k, n := range a {
		if m, ok := b[k]; ok && m != n {
			return false
		}
	}
	return true
}

// twinPasses tells whether one value passes one test.
func twinPasses(test, value any) bool {
	switch t := test.(type) {
	case map[string]any:
		for name, arg := range t {
			return twinOperator(name, arg, value)
		}
	case json.Number:
		v, ok := value.(json.Number)
		return ok && (sameNumber(t, v) || t == v)
	case string:
		v, ok := value.(string)
		if a, isIP := twinAddress(t); isIP {
			b, also := twinAddress(v)
			return ok && also && a == b
		}
		return ok && v == t
	}
	return test == value
}

func twinOperator(name string, arg, value any) bool {
	text, isText := value.(string)
	number, isNumber := value.(json.Number)
	switch name {
	case "exists":
		return arg == true
	case "anything-but":
		return !twinExcluded(arg, value)
	case "numeric":
		return isNumber && twinNumeric(arg.([]any), number)
	case "exactly":
		return isText && text == arg
	case "cidr":
		net, err := netip.ParsePrefix(arg.(string))
		a, ok := twinAddress(text)
		return isText && err == nil && ok && net.Contains(a)
	case "wildcard":
		return isText && twinWildcard(arg.(string)).MatchString(text)
	}
	if !isText {
		return false
	}
	if o, ok := arg.(map[string]any); ok { // prefix and suffix without case
		want := twinFold(o["equals-ignore-case"].(string))
		if name == "prefix" {
			return regexp.MustCompile(`(?s)^` + want).MatchString(text)
		}
		return regexp.MustCompile(`(?s)` + want + `$`).MatchString(text)
	}
	switch want := arg.(string); name {
	case "prefix":
		return strings.HasPrefix(text, want)
	case "suffix":
		return strings.HasSuffix(text, want)
	default: // equals-ignore-case
		return regexp.MustCompile(`(?s)^` + twinFold(want) + `$`).MatchString(text)
	}
}

// twinFold is a regular expression for a text in any case.
func twinFold(text string) string {
	var b strings.Builder
	for _, r := range text {
		lower, upper := string(unicode.ToLower(r)), strings.ToUpper(string(r))
		if wide, ok := map[rune]string{'ß': "SS", 'ﬁ': "FI", 'ŉ': "ʼN"}[r]; ok {
			upper = wide
		}
		b.WriteString("(?:" + regexp.QuoteMeta(lower) + "|" + regexp.QuoteMeta(upper) + ")")
	}
	return b.String()
}

func twinWildcard(text string) *regexp.Regexp {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '*':
			b.WriteString(".*")
		case '\\':
			i++
			b.WriteString(regexp.QuoteMeta(text[i : i+1]))
		default:
			end := i + 1
			for end < len(text) && text[end] >= 0x80 {
				end++
			}
			b.WriteString(regexp.QuoteMeta(text[i:end]))
			i = end - 1
		}
	}
	return regexp.MustCompile(`(?s)^` + b.String() + `$`)
}

func twinExcluded(arg, value any) bool {
	if list, ok := arg.([]any); ok {
		return slices.ContainsFunc(list, func(a any) bool { return twinExcluded(a, value) })
	}
	switch a := arg.(type) {
	case map[string]any:
		for name, inner := range a {
			if list, ok := inner.([]any); ok {
				return slices.ContainsFunc(list, func(i any) bool { return twinOperator(name, i, value) })
			}
			return twinOperator(name, inner, value)
		}
	case json.Number:
		v, ok := value.(json.Number)
		return ok && sameNumber(a, v)
	}
	return arg == value
}

func twinNumeric(parts []any, n json.Number) bool {
	v, ok := twinNumber(n)
	if !ok {
		return false
	}
	for i := 0; i < len(parts); i += 2 {
		w, _ := twinNumber(parts[i+1].(json.Number))
		c := v.Cmp(w)
		if !map[string]bool{"=": c == 0, "<": c < 0, "<=": c <= 0, ">": c > 0, ">=": c >= 0}[parts[i].(string)] {
			return false
		}
	}
	return true
}

func sameNumber(a, b json.Number) bool {
	x, ok := twinNumber(a)
	y, also := twinNumber(b)
	return ok && also && x.Cmp(y) == 0
}

// twinNumber is a number, if the shortest decimal that means its binary64 is the
// number itself.
func twinNumber(n json.Number) (*big.Rat, bool) {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return nil, false
	}
	short, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	if !ok || len(n) > 400 {
		return nil, false
	}
	if _, exponent, found := strings.Cut(strings.ToLower(string(n)), "e"); found {
		if e, err := strconv.Atoi(exponent); err != nil || e < -5000 || e > 5000 {
			return nil, false
		}
	}
	exact, ok := new(big.Rat).SetString(string(n))
	return short, ok && exact.Cmp(short) == 0
}

func twinAddress(text string) (netip.Addr, bool) {
	if strings.Contains(text, ":") && strings.ContainsAny(text, ".%") {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap(), err == nil
}
