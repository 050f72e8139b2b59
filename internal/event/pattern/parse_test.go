package pattern

import (
	"errors"
	"strings"
	"testing"
)

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{``, `pattern, line 1, column 1: ends too early`},
		{`[]`, `pattern, line 1, column 1: a pattern is an object, as {"source": ["orders"]}`},
		{`{}`, `pattern, line 1, column 1: an object must name a field; {} is taken for a slip`},
		{`{"a": ["x"]} y`, `pattern, line 1, column 14: nothing may follow the pattern's last bracket`},
		{`{"a": ["x",]}`, `pattern, line 1, column 12: wants a JSON value here`},
		{`{"a": ["x" "y"]}`, `pattern, line 1, column 12: wants a comma or ] here`},
		{`{"a" ["x"]}`, `pattern, line 1, column 6: wants a colon here`},
		{`{a: ["x"]}`, `pattern, line 1, column 2: wants a name in quotation marks here`},
		{`{"a": ["x"] "b": ["y"]}`, `pattern, line 1, column 13: wants a comma or } here`},
		{`{"a": ["x`, `pattern, line 1, column 10: this string has no end`},
		{`{"a": ["\x"]}`, `pattern, line 1, column 9: this escape is none of JSON`},
		{"{\"a\": [\"\t\"]}", `pattern, line 1, column 9: a control character in a string must be escaped`},
		{`{"a": [01]}`, `pattern, line 1, column 9: wants a comma or ] here`},
		{`{"a": [-]}`, `pattern, line 1, column 8: this is no number of JSON`},
		{"{\"a\": [\"\xff\"]}", `pattern, line 1, column 1: is no UTF-8`},
		{"{\n  \"detail\": {\n    \"état\": \"x\"\n  }\n}", `pattern, line 3, column 13, field "detail.état": the values of a field stand in a list: write ["x"]`},
		{`{"a": []}`, `pattern, line 1, column 7, field "a": an empty list would never match; name a value, or [{"exists": false}] for a field that is not there`},
		{`{"a": {"b": {}}}`, `pattern, line 1, column 13, field "a.b": an object must name a field; {} is taken for a slip`},
		{`{"a": [["x"]]}`, `pattern, line 1, column 8, field "a": a list in a field's list means nothing; name values and operators`},
		{`{"a": [{}]}`, `pattern, line 1, column 8, field "a": a test is an object of one operator, as {"prefix": "eu-"}; several tests are several objects in the list`},
		{`{"a": ["x"], "a": ["y"]}`, `pattern, line 1, column 14, field "a": this field has tests already; put all of them into one list, or use $or`},
		{`{"a": {"b": ["x"]}, "a.b": ["y"]}`, `pattern, line 1, column 21, field "a.b": this field has tests already; put all of them into one list, or use $or`},
		{`{"a": [{"prefx": "x"}]}`, `pattern, line 1, column 9, field "a", operator "prefx": is no operator; there are prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr and exists; did you mean prefix?`},
		{`{"a": [{"prefix": 5}]}`, `pattern, line 1, column 19, field "a", operator "prefix": wants a string, as {"prefix": "eu-"}, and got the number 5`},
		{`{"a": [{"prefix": {"wildcard": "x"}}]}`, `pattern, line 1, column 19, field "a", operator "prefix": takes a string, or {"equals-ignore-case": string}`},
		{`{"a": [{"suffix": {"equals-ignore-case": ["x"]}}]}`, `pattern, line 1, column 42, field "a", operator "suffix/equals-ignore-case": wants a string, as {"equals-ignore-case": "eu-"}, and got a list`},
		{`{"a": [{"wildcard": "x**"}]}`, `pattern, line 1, column 21, field "a", operator "wildcard": two stars beside each other mean what one does; write one`},
		{`{"a": [{"wildcard": "x\\y"}]}`, `pattern, line 1, column 21, field "a", operator "wildcard": a backslash stands before * or another backslash only; write \\ for a backslash`},
		{`{"a": [{"wildcard": null}]}`, `pattern, line 1, column 21, field "a", operator "wildcard": wants a string with *, as {"wildcard": "eu-*-prod"}, and got null`},
		{`{"a": [{"exists": "true"}]}`, `pattern, line 1, column 19, field "a", operator "exists": wants true or false`},
		{`{"a": [{"cidr": "10.0.0.0"}]}`, `pattern, line 1, column 17, field "a", operator "cidr": wants an address and how many of its bits must fit, as "10.0.0.0/8" or "2001:db8::/32"`},
		{`{"a": [{"cidr": "10.0.0.0/32"}]}`, `pattern, line 1, column 17, field "a", operator "cidr": takes at most 31 bits of this address; name one address as a plain string`},
		{`{"a": [{"numeric": [">"]}]}`, `pattern, line 1, column 20, field "a", operator "numeric": wants a list of a comparison and a number, as [">=", 100] or [">", 0, "<=", 5]`},
		{`{"a": [{"numeric": ["=>", 5]}]}`, `pattern, line 1, column 21, field "a", operator "numeric": compares by =, <, <=, > or >=, and got "=>"`},
		{`{"a": [{"numeric": [">", "5"]}]}`, `pattern, line 1, column 26, field "a", operator "numeric": compares with numbers, and got the string "5"`},
		{`{"a": [{"numeric": ["<", 5, ">", 1]}]}`, `pattern, line 1, column 20, field "a", operator "numeric": a range is written as [">", low, "<=", high], with > or >= first`},
		{`{"a": [{"numeric": [">=", 5, "<=", 5]}]}`, `pattern, line 1, column 20, field "a", operator "numeric": is empty: 5 is not below 5`},
		{`{"a": [{"numeric": ["=", 9007199254740993]}]}`, `pattern, line 1, column 26, field "a", operator "numeric": cannot compare with 9007199254740993, which binary64 does not have exactly`},
		{`{"a": [{"anything-but": []}]}`, `pattern, line 1, column 25, field "a", operator "anything-but": an empty list excludes nothing; use {"exists": true}`},
		{`{"a": [{"anything-but": ["x", 1]}]}`, `pattern, line 1, column 31, field "a", operator "anything-but": a list holds strings only or numbers only; put two tests into the field's list`},
		{`{"a": [{"anything-but": null}]}`, `pattern, line 1, column 25, field "a", operator "anything-but": excludes strings or numbers, and got null`},
		{`{"a": [{"anything-but": {"cidr": "10.0.0.0/8"}}]}`, `pattern, line 1, column 26, field "a", operator "anything-but/cidr": anything-but takes values, prefix, suffix, equals-ignore-case or wildcard`},
		{`{"a": [{"anything-but": {"prefix": ""}}]}`, `pattern, line 1, column 36, field "a", operator "anything-but/prefix": excludes every string when it is empty; name some characters`},
		{`{"a": [{"anything-but": {"suffix": ["x", 5]}}]}`, `pattern, line 1, column 42, field "a", operator "anything-but/suffix": wants a string, as {"suffix": "eu-"}, and got the number 5`},
		{`{"$or": [{"a": ["x"]}]}`, `pattern, line 1, column 2, operator "$or": wants a list of two objects of fields or more`},
		{`{"d": {"$or": {"a": ["x"]}}}`, `pattern, line 1, column 8, field "d", operator "$or": wants a list of two objects of fields or more`},
		{`{"$or": [{"a": ["x"]}, "b"]}`, `pattern, line 1, column 24, operator "$or": holds objects of fields only, as {"source": ["orders"]}`},
		{`{"$or": [{"prefix": "x"}, {"a": ["x"]}]}`, `pattern, line 1, column 11, field "prefix", operator "prefix": this is an operator, and $or holds objects of fields; name the field, and put the operator into its list`},
		{`{"a": ["x"], "$or": [{"a": ["y"]}, {"b": ["z"]}]}`, `pattern, line 1, column 23, field "a": this field has tests already; put all of them into one list, or use $or`},
	} {
		p, err := Parse([]byte(c.text))
		var e *Error
		if p != nil || !errors.As(err, &e) || err.Error() != c.want {
			t.Errorf("%s\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

func TestPatternsAreBounded(t *testing.T) {
	fields := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(`"f` + strings.Repeat("x", i) + `":["v"],`)
		}
		return "{" + strings.TrimSuffix(b.String(), ",") + "}"
	}
	or := `"$or":[{"a":[1]},{"b":[1]}`
	ors := strings.Repeat(`{`+or+`],"x":`, 10) + `{"y":[1]}` + strings.Repeat("}", 10)
	for name, text := range map[string]string{
		"long":       `{"a":["` + strings.Repeat("x", MaxPatternBytes) + `"]}`,
		"deep":       strings.Repeat(`{"a":`, MaxPatternDepth) + `["x"]` + strings.Repeat("}", MaxPatternDepth),
		"wide":       fields(MaxFields + 1),
		"multiplied": ors,
	} {
		var e *Error
		if _, err := Parse([]byte(text)); !errors.As(err, &e) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Parse([]byte(fields(MaxFields))); err != nil {
		t.Error(err)
	}
}

func TestNamesOfAPathMayBeWrittenWithDots(t *testing.T) {
	for _, text := range []string{`{"a":{"b":{"c":["x"]}}}`, `{"a.b":{"c":["x"]}}`, `{"a":{"b.c":["x"]}}`, `{"a.b.c":["x"]}`} {
		for _, event := range []string{`{"a":{"b":{"c":"x"}}}`, `{"a.b":{"c":"x"}}`, `{"a":{"b.c":"x"}}`, `{"a.b.c":"x"}`, `{"a":[{"b":[{"c":["x"]}]}]}`} {
			if fits, err := mustParse(t, text).Matches([]byte(event)); err != nil || !fits {
				t.Errorf("%s, %s: %v, %v", text, event, fits, err)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{
		`{"source":["a",1,null,true],"detail":{"x":[{"prefix":"a"},{"anything-but":{"wildcard":["*a","b*"]}}]}}`,
		`{"$or":[{"a":[{"numeric":[">",0,"<=",5e2]}]},{"b":[{"cidr":"2001:db8::/32"}]}],"c":[{"exists":false}]}`,
		"{\"a\":[{\"suffix\":{\"equals-ignore-case\":\"\\u00df\"}}]}", `{"a":[{"wildcard":"\\*\\\\*"}]}`, `{"":{"":[""]}}`,
	} {
		f.Add([]byte(text), []byte(`{"source":"a","a":"x","":{"":""},"c":[1,{"d":2}]}`))
	}
	f.Fuzz(func(t *testing.T, text, event []byte) {
		p, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Problem == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		fits, err := p.Matches(event)
		x, also := p.Explain(event)
		if (err == nil) != (also == nil) || fits != x.Matched {
			t.Fatalf("%q on %q: %v, %v, explained as %v, %v", text, event, fits, err, x, also)
		}
		if err == nil && !fits && (x.Path == "" && len(x.Wanted) == 0 || x.Line < 1) {
			t.Fatalf("%q on %q: explained by nothing: %+v", text, event, x)
		}
	})
}
