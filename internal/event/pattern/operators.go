package pattern

import (
	"math"
	"strconv"
	"strings"

	"ottla/internal/nearest"
)

// op says what a test asks of a value.
type op uint8

// The payload of each is said beside it; program.go writes it behind the op.
const (
	opText       op = iota // a string: the text
	opWord                 // true, false or null: the word
	opNumber               // a number: binary64
	opDigits               // a number that binary64 does not have: as written
	opPrefix               // a string: its beginning
	opSuffix               // a string: its end
	opFold                 // a string but for case: ASCII in lower case
	opFoldWide             // likewise with other characters: as foldWide has it
	opPrefixFold           // ASCII in lower case
	opPrefixWide
	opSuffixFold // ASCII in lower case
	opSuffixWide
	opWildcard // as wildcard.go has it
	opRange    // a number: which ends are open, and the two ends
	opAddress  // an IP address: its size, how many bits must fit, the address
	opPresent  // anything
	opAbsent   // no value
	opNot      // none of the tests in the payload
)

// test is one thing that a field's values are tested for.
type test struct {
	op      op
	payload string
	any     []test // of opNot
	node    *node  // as it was written, which explanations show
}

// readTest reads one item of a field's list.
func readTest(n *node, path string) (t test, err error) {
	switch n.kind {
	case nodeString:
		t = exactly(n.text)
		if a := parseAddress([]byte(n.text)); a.size > 0 {
			t = test{op: opAddress, payload: addressPayload(a, 8*int(a.size))}
		}
	case nodeNumber:
		t = number(n.text)
	case nodeWord:
		t = test{op: opWord, payload: n.text}
	case nodeObject:
		if len(n.members) != 1 {
			return t, n.wrong(path, "", "a test is an object of one operator, as {\"prefix\": \"eu-\"}; several tests are several objects in the list")
		}
		t, err = readOperator(&n.members[0], path)
	default:
		return t, n.wrong(path, "", "a list in a field's list means nothing; name values and operators")
	}
	t.node = n
	return t, err
}

func exactly(text string) test { return test{op: opText, payload: text} }

func number(text string) test {
	if f, ok := comparable([]byte(text)); ok {
		return test{op: opNumber, payload: numberPayload(f)}
	}
	return test{op: opDigits, payload: text}
}

// readOperator reads {"operator": value}.
func readOperator(m *member, path string) (test, error) {
	v := m.value
	switch m.name {
	case "exactly":
		return ofText(v, path, m.name, exactly)
	case "prefix":
		return orFolded(v, path, m.name, opPrefix, opPrefixFold, opPrefixWide)
	case "suffix":
		return orFolded(v, path, m.name, opSuffix, opSuffixFold, opSuffixWide)
	case "equals-ignore-case":
		return ofText(v, path, m.name, folded(opFold, opFoldWide))
	case "wildcard":
		return wildcard(v, path, m.name)
	case "numeric":
		return numeric(v, path)
	case "cidr":
		return cidr(v, path)
	case "exists":
		if v.kind != nodeWord || v.text == "null" {
			return test{}, v.wrong(path, m.name, "wants true or false")
		}
		if v.text == "true" {
			return test{op: opPresent}, nil
		}
		return test{op: opAbsent}, nil
	case "anything-but":
		return anythingBut(v, path)
	}
	return test{}, m.wrong(path, m.name, "is no operator; there are prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr and exists"+meant(m.name))
}

// meant names the operator that an unknown one was perhaps meant to be.
func meant(operator string) string {
	known := []string{"prefix", "suffix", "equals-ignore-case", "wildcard", "anything-but", "numeric", "cidr", "exists"}
	if near := nearest.Of(operator, known); near != "" && near != operator { // else it is known, elsewhere
		return "; did you mean " + near + "?"
	}
	return ""
}

func ofText(v *node, path, operator string, make func(string) test) (test, error) {
	if v.kind != nodeString {
		return test{}, v.wrong(path, operator, "wants a string, as {\""+operatorName(operator)+"\": \"eu-\"}, and got "+v.describe())
	}
	return make(v.text), nil
}

// operatorName is the innermost of operators that are joined by slashes.
func operatorName(operator string) string {
	return operator[strings.LastIndexByte(operator, '/')+1:]
}

func (n *node) describe() string {
	switch n.kind {
	case nodeObject:
		return "an object"
	case nodeList:
		return "a list"
	case nodeString:
		return "the string " + n.source()
	case nodeNumber:
		return "the number " + n.text
	}
	return n.text
}

// folded makes tests that do not look at case.
func folded(ascii, wide op) func(string) test {
	return func(text string) test {
		if isASCII(text) {
			return test{op: ascii, payload: strings.ToLower(text)}
		}
		return test{op: wide, payload: foldWide(text)}
	}
}

// orFolded reads a text, or {"equals-ignore-case": text}.
func orFolded(v *node, path, operator string, exact, ascii, wide op) (test, error) {
	if v.kind != nodeObject {
		return ofText(v, path, operator, func(text string) test { return test{op: exact, payload: text} })
	}
	if len(v.members) != 1 || v.members[0].name != "equals-ignore-case" {
		return test{}, v.wrong(path, operator, "takes a string, or {\"equals-ignore-case\": string}")
	}
	return ofText(v.members[0].value, path, operator+"/equals-ignore-case", folded(ascii, wide))
}

func wildcard(v *node, path, operator string) (test, error) {
	if v.kind != nodeString {
		return test{}, v.wrong(path, operator, "wants a string with *, as {\"wildcard\": \"eu-*-prod\"}, and got "+v.describe())
	}
	payload, problem := compileWildcard(v.text)
	if problem != "" {
		return test{}, v.wrong(path, operator, problem)
	}
	return test{op: opWildcard, payload: payload}, nil
}

// numeric reads ["=", n], ["<", n] and so on, and [">", low, "<=", high].
func numeric(v *node, path string) (test, error) {
	wrong := func(n *node, problem string) (test, error) { return test{}, n.wrong(path, "numeric", problem) }
	const example = "wants a list of a comparison and a number, as [\">=\", 100] or [\">\", 0, \"<=\", 5]"
	if v.kind != nodeList || len(v.items) != 2 && len(v.items) != 4 {
		return wrong(v, example)
	}
	var ends [2]float64
	for i := 0; i < len(v.items); i += 2 {
		comparison, n := v.items[i], v.items[i+1]
		if comparison.kind != nodeString {
			return wrong(comparison, example)
		}
		if n.kind != nodeNumber {
			return wrong(n, "compares with numbers, and got "+n.describe())
		}
		f, ok := comparable([]byte(n.text))
		if !ok {
			return wrong(n, "cannot compare with "+n.text+", which binary64 does not have exactly")
		}
		ends[i/2] = f
	}
	first := v.items[0].text
	if len(v.items) == 2 {
		switch first {
		case "=":
			return test{op: opNumber, payload: numberPayload(ends[0])}, nil
		case "<", "<=":
			return test{op: opRange, payload: rangePayload(false, -math.MaxFloat64, first == "<", ends[0])}, nil
		case ">", ">=":
			return test{op: opRange, payload: rangePayload(first == ">", ends[0], false, math.MaxFloat64)}, nil
		}
		return wrong(v.items[0], "compares by =, <, <=, > or >=, and got "+quote(first))
	}
	second := v.items[2].text
	if first != ">" && first != ">=" || second != "<" && second != "<=" {
		return wrong(v, "a range is written as [\">\", low, \"<=\", high], with > or >= first")
	}
	if ends[0] >= ends[1] {
		return wrong(v, "is empty: "+v.items[1].text+" is not below "+v.items[3].text)
	}
	return test{op: opRange, payload: rangePayload(first == ">", ends[0], second == "<", ends[1])}, nil
}

// cidr reads address/bits.
func cidr(v *node, path string) (test, error) {
	const example = "wants an address and how many of its bits must fit, as \"10.0.0.0/8\" or \"2001:db8::/32\""
	if v.kind != nodeString {
		return test{}, v.wrong(path, "cidr", example)
	}
	host, mask, ok := strings.Cut(v.text, "/")
	a := parseAddress([]byte(host))
	bits, err := strconv.ParseUint(mask, 10, 8)
	if !ok || a.size == 0 || err != nil {
		return test{}, v.wrong(path, "cidr", example)
	}
	if most := 8*int(a.size) - 1; int(bits) > most {
		return test{}, v.wrong(path, "cidr", "takes at most "+strconv.Itoa(most)+" bits of this address; name one address as a plain string")
	}
	return test{op: opAddress, payload: addressPayload(a, int(bits))}, nil
}

// anythingBut reads a value, a list of values of one type, or an operator on one
// string or a list of them.
func anythingBut(v *node, path string) (test, error) {
	const name = "anything-but"
	t := test{op: opNot}
	if v.kind == nodeObject {
		return anythingButOperator(v, path)
	}
	items := []*node{v}
	if v.kind == nodeList {
		items = v.items
	}
	if len(items) == 0 {
		return t, v.wrong(path, name, "an empty list excludes nothing; use {\"exists\": true}")
	}
	for _, item := range items {
		switch item.kind {
		case nodeString:
			t.any = append(t.any, exactly(item.text))
		case nodeNumber:
			n := number(item.text)
			if n.op != opNumber {
				return t, item.wrong(path, name, "cannot compare with "+item.text+", which binary64 does not have exactly")
			}
			t.any = append(t.any, n)
		default:
			return t, item.wrong(path, name, "excludes strings or numbers, and got "+item.describe())
		}
		if item.kind != items[0].kind {
			return t, item.wrong(path, name, "a list holds strings only or numbers only; put two tests into the field's list")
		}
	}
	return t, nil
}

// anythingButOperator reads {"prefix": …} and its like behind anything-but.
func anythingButOperator(v *node, path string) (test, error) {
	t := test{op: opNot}
	if len(v.members) != 1 {
		return t, v.wrong(path, "anything-but", "takes one operator: prefix, suffix, equals-ignore-case or wildcard")
	}
	m := &v.members[0]
	name := "anything-but/" + m.name
	items := []*node{m.value}
	if m.value.kind == nodeList {
		if items = m.value.items; len(items) == 0 {
			return t, m.value.wrong(path, name, "an empty list excludes nothing; use {\"exists\": true}")
		}
	}
	for _, item := range items {
		inner, err := excluded(m, item, path, name)
		if err != nil {
			return t, err
		}
		t.any = append(t.any, inner)
	}
	return t, nil
}

// excluded is the test for one value that must not fit.
func excluded(m *member, item *node, path, name string) (test, error) {
	switch m.name {
	case "prefix", "suffix":
		exact := opPrefix
		if m.name == "suffix" {
			exact = opSuffix
		}
		if item.kind == nodeString && item.text == "" {
			return test{}, item.wrong(path, name, "excludes every string when it is empty; name some characters")
		}
		return ofText(item, path, name, func(text string) test { return test{op: exact, payload: text} })
	case "equals-ignore-case":
		return ofText(item, path, name, folded(opFold, opFoldWide))
	case "wildcard":
		return wildcard(item, path, name)
	}
	return test{}, m.wrong(path, name, "anything-but takes values, prefix, suffix, equals-ignore-case or wildcard"+meant(m.name))
}
