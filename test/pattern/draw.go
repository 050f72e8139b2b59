package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// drawn is a pattern with events made for it.
type drawn struct {
	pattern string
	kinds   []string // of operators, each once
	events  []string
}

// drawnField is a path with its tests.
type drawnField struct {
	path  string
	tests []drawnTest
}

var paths = []string{
	"source", "detail-type", "detail.a", "detail.b", "detail.a-b", "detail.items.x", "detail.items.y", "detail.items.z",
	"detail.items.sub.x", "detail.items.sub.y", "detail.items", "detail.other.x", "detail.other.y", "resources", "a.b.c.d", "a.b.x",
}

// draw draws a pattern and n events for it.
func draw(rng *rand.Rand, n int) drawn {
	var d drawn
	free := slices.Clone(paths)
	rng.Shuffle(len(free), func(i, j int) { free[i], free[j] = free[j], free[i] })
	take := func(most int) (fields []drawnField) {
		for range 1 + rng.IntN(most) {
			if len(free) == 0 {
				break
			}
			f := drawnField{path: free[0]}
			free = free[1:]
			for range 1 + rng.IntN(3)*rng.IntN(2) {
				f.tests = append(f.tests, drawTest(rng))
			}
			fields = append(fields, f)
		}
		return fields
	}
	common := take(3)
	body, alternatives := object(rng, common, ""), [][]drawnField{common}
	if rng.IntN(6) == 0 {
		d.kinds = append(d.kinds, "$or")
		alternatives = nil
		var objects []string
		for range 2 + rng.IntN(2) {
			if f := take(2); len(f) > 0 {
				objects = append(objects, object(rng, f, ""))
				alternatives = append(alternatives, append(slices.Clone(common), f...))
			}
		}
		or := `"$or":[` + strings.Join(objects, ",") + `]`
		if rng.IntN(2) == 0 {
			body = "{" + or + "," + body[1:]
		} else {
			body = body[:len(body)-1] + "," + or + "}"
		}
	}
	d.pattern = body
	for _, fields := range alternatives {
		for _, f := range fields {
			for _, t := range f.tests {
				d.kinds = append(d.kinds, t.kind)
			}
		}
	}
	slices.Sort(d.kinds)
	d.kinds = slices.Compact(d.kinds)
	for i := range n {
		d.events = append(d.events, drawEvent(rng, alternatives[i%len(alternatives)]))
	}
	return d
}

// object writes fields as objects in each other.
func object(rng *rand.Rand, fields []drawnField, under string) string {
	var names, bodies []string
	for _, f := range fields {
		rest := strings.TrimPrefix(f.path, under)
		name, below, deeper := strings.Cut(rest, ".")
		if slices.Contains(names, name) {
			continue
		}
		if !deeper {
			tests := make([]string, len(f.tests))
			for i, t := range f.tests {
				tests[i] = t.text
			}
			names, bodies = append(names, name), append(bodies, "["+strings.Join(tests, ", ")+"]")
			continue
		}
		var inner []drawnField
		for _, g := range fields {
			if strings.HasPrefix(g.path, under+name+".") {
				inner = append(inner, g)
			}
		}
		_ = below
		names, bodies = append(names, name), append(bodies, object(rng, inner, under+name+"."))
	}
	for i, name := range names {
		bodies[i] = fmt.Sprintf("%q:%s", name, bodies[i])
	}
	return "{" + strings.Join(bodies, ",") + "}"
}

// wrong are tests that are refused.
var wrong = []string{
	`{}`, `[]`, `["a"]`, `{"prefix":5}`, `{"prefix":null}`, `{"suffix":["a"]}`, `{"prefix":"a","suffix":"b"}`, `{"prefix":{"suffix":"a"}}`,
	`{"equals-ignore-case":1}`, `{"equals-ignore-case":["a"]}`, `{"wildcard":"a**b"}`, `{"wildcard":"a\\b"}`, `{"wildcard":"a\\"}`, `{"wildcard":5}`,
	`{"numeric":5}`, `{"numeric":[]}`, `{"numeric":["<"]}`, `{"numeric":["<",5,">",1]}`, `{"numeric":[">",5,"<",1]}`, `{"numeric":[">=",5,"<=",5]}`,
	`{"numeric":["=>",5]}`, `{"numeric":["=","5"]}`, `{"numeric":["=",1,"<",2]}`, `{"numeric":["=",9007199254740993]}`, `{"numeric":[">",1,"<",2,"<",3]}`,
	`{"cidr":"10.0.0.0"}`, `{"cidr":"10.0.0.0/32"}`, `{"cidr":"10.0.0/8"}`, `{"cidr":"2001:db8::/128"}`, `{"cidr":"10.0.0.0/-1"}`, `{"cidr":5}`, `{"cidr":"::ffff:a00:1/96"}`,
	`{"exists":"true"}`, `{"exists":null}`, `{"exists":[true]}`, `{"anything-but":null}`, `{"anything-but":true}`, `{"anything-but":[]}`, `{"anything-but":[1,"a"]}`,
	`{"anything-but":[null]}`, `{"anything-but":[9007199254740993]}`, `{"anything-but":{"prefix":""}}`, `{"anything-but":{"suffix":[""]}}`, `{"anything-but":{"prefix":5}}`,
	`{"anything-but":{"cidr":"10.0.0.0/8"}}`, `{"anything-but":{"wildcard":"a**"}}`, `{"anything-but":{"wildcard":["a",5]}}`, `{"anything-but":{"equals-ignore-case":[1]}}`,
	`{"prefx":"a"}`, `{"anything-but":{}}`,
}

// drawTest draws one test, few of them wrong.
func drawTest(rng *rand.Rand) drawnTest {
	if rng.IntN(200) == 0 {
		return drawnTest{"wrong", wrong[rng.IntN(len(wrong))], func() string { return someValue(rng) }}
	}
	all := []func(*rand.Rand) drawnTest{
		drawText, drawText, drawNumber, drawWord, drawAddress, drawPart, drawPart, drawPart, drawPart,
		drawFold, drawWildcard, drawNumeric, drawNumeric, drawCidr, drawExists, drawAbsent,
		drawNot, drawNot, drawNotNumber, drawNotPart, drawNotPart, drawNotFold, drawNotWildcard,
	}
	return all[rng.IntN(len(all))](rng)
}

func drawText(rng *rand.Rand) drawnTest {
	w := word(rng)
	return drawnTest{"text", text(rng, w), func() string { return text(rng, w) }}
}

func drawNumber(rng *rand.Rand) drawnTest {
	n := number(rng)
	return drawnTest{"number", n, func() string { return written(rng, n) }}
}

func drawWord(rng *rand.Rand) drawnTest {
	w := []string{"true", "false", "null"}[rng.IntN(3)]
	return drawnTest{"word", w, func() string { return w }}
}

func drawAddress(rng *rand.Rand) drawnTest {
	a := network(rng).Addr()
	return drawnTest{"address", text(rng, a.String()), func() string { return text(rng, a.StringExpanded()) }}
}

// drawPart draws prefix or suffix, with or without case.
func drawPart(rng *rand.Rand) drawnTest {
	w, kind := word(rng), []string{"prefix", "suffix"}[rng.IntN(2)]
	fit := func() string {
		if kind[0] == 'p' {
			return text(rng, w+word(rng))
		}
		return text(rng, word(rng)+w)
	}
	if rng.IntN(2) == 0 {
		return drawnTest{kind, fmt.Sprintf(`{"%s":%s}`, kind, text(rng, w)), fit}
	}
	return drawnTest{kind + "/equals-ignore-case", fmt.Sprintf(`{"%s":{"equals-ignore-case":%s}}`, kind, text(rng, w)), func() string {
		if kind[0] == 'p' {
			return text(rng, otherCase(rng, w)+word(rng))
		}
		return text(rng, word(rng)+otherCase(rng, w))
	}}
}

func drawFold(rng *rand.Rand) drawnTest {
	w := word(rng)
	return drawnTest{"equals-ignore-case", fmt.Sprintf(`{"equals-ignore-case":%s}`, text(rng, w)), func() string { return text(rng, otherCase(rng, w)) }}
}

func drawWildcard(rng *rand.Rand) drawnTest {
	w, fill := starred(rng)
	return drawnTest{"wildcard", fmt.Sprintf(`{"wildcard":%s}`, text(rng, w)), func() string { return text(rng, fill()) }}
}

func drawNumeric(rng *rand.Rand) drawnTest {
	low := rng.IntN(20) - 10
	high := low + 1 + rng.IntN(10)
	between := func() string { return fmt.Sprintf("%d.%d", low+rng.IntN(high-low), 1+rng.IntN(9)) }
	edge := func(n int) func() string {
		return func() string {
			if rng.IntN(2) == 0 {
				return written(rng, fmt.Sprint(n))
			}
			return fmt.Sprint(n + rng.IntN(3) - 1)
		}
	}
	numeric := func(kind string, fit func() string, format string, args ...any) drawnTest {
		return drawnTest{"numeric " + kind, fmt.Sprintf(`{"numeric":[`+format+`]}`, args...), fit}
	}
	switch o := []string{"<", "<=", ">", ">="}[rng.IntN(4)]; rng.IntN(3) {
	case 0:
		return numeric("=", edge(low), `"=",%s`, written(rng, fmt.Sprint(low)))
	case 1:
		return numeric(o, edge(low), `"%s",%d`, o, low)
	default:
		fit := between
		if rng.IntN(2) == 0 {
			fit = edge([]int{low, high}[rng.IntN(2)])
		}
		return numeric("range", fit, `"%s",%d,"%s",%d`, []string{">", ">="}[rng.IntN(2)], low, []string{"<", "<="}[rng.IntN(2)], high)
	}
}

func drawCidr(rng *rand.Rand) drawnTest {
	p := network(rng)
	kind := "cidr v4"
	if p.Addr().Is6() {
		kind = "cidr v6"
	}
	return drawnTest{kind, fmt.Sprintf(`{"cidr":"%s"}`, p), func() string { return text(rng, addressIn(rng, p)) }}
}

func drawExists(rng *rand.Rand) drawnTest {
	return drawnTest{"exists true", `{"exists":true}`, func() string { return someValue(rng) }}
}

func drawAbsent(*rand.Rand) drawnTest {
	return drawnTest{"exists false", `{"exists":false}`, func() string { return "" }}
}
