package pattern

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// What tests draw: few names and few values, so that they meet.

func pick(rng *rand.Rand, of ...string) string { return of[rng.IntN(len(of))] }

func drawWord(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(4) {
		b.WriteString(pick(rng, "a", "b", "A", "B", "-", "é", "É", "ß", "ab", "日"))
	}
	return b.String()
}

func drawNumber(rng *rand.Rand) string {
	if rng.IntN(6) == 0 {
		return pick(rng, "9007199254740993", "1e400", "0.1", "-0", "0.0", "1E2", "123456789012", "1.50", "0.30000000000000004", "5e-324")
	}
	return strconv.Itoa(rng.IntN(8) - 2)
}

func drawIP(rng *rand.Rand) string {
	return pick(rng, "10.0.0.1", "10.0.1.1", "10.128.0.1", "192.168.1.7", "2001:db8::1", "2001:DB8:0:0:0:0:0:1", "2001:db8:1::1", "::1", "::ffff:a00:1")
}

func drawScalar(rng *rand.Rand) string {
	switch rng.IntN(6) {
	case 0:
		return pick(rng, "true", "false", "null")
	case 1, 2:
		return drawNumber(rng)
	case 3:
		return quote(drawIP(rng))
	}
	return quote(drawWord(rng))
}

func drawTest(rng *rand.Rand) string {
	w := func() string { return quote(drawWord(rng)) }
	some := func() string {
		v := drawWord(rng) + "a"
		if rng.IntN(2) == 0 {
			return quote(v)
		}
		return "[" + quote(v) + "," + quote(drawWord(rng)+"b") + "]"
	}
	star := func() string {
		return quote(pick(rng, "*", "a*", "*b", "a*b", "*a*", "a*é*", "ab", "", "A*-*b") + drawWord(rng))
	}
	switch rng.IntN(20) {
	case 0:
		return `{"prefix":` + w() + `}`
	case 1:
		return `{"suffix":` + w() + `}`
	case 2:
		return `{"prefix":{"equals-ignore-case":` + w() + `}}`
	case 3:
		return `{"suffix":{"equals-ignore-case":` + w() + `}}`
	case 4:
		return `{"equals-ignore-case":` + w() + `}`
	case 5:
		return `{"wildcard":` + star() + `}`
	case 6:
		return `{"numeric":["` + pick(rng, "=", "<", "<=", ">", ">=") + `",` + strconv.Itoa(rng.IntN(8)-2) + `]}`
	case 7:
		low := rng.IntN(6) - 2
		return fmt.Sprintf(`{"numeric":["%s",%d,"%s",%d]}`, pick(rng, ">", ">="), low, pick(rng, "<", "<="), low+1+rng.IntN(3))
	case 8:
		return `{"cidr":"` + pick(rng, "10.0.0.0/8", "10.0.0.0/24", "10.0.1.0/23", "2001:db8::/32", "2001:db8::/48", "0.0.0.0/0", "::/1", "10.0.0.1/31") + `"}`
	case 9, 10:
		return `{"exists":` + pick(rng, "true", "false", "false") + `}`
	case 11:
		return `{"anything-but":` + some() + `}`
	case 12:
		return `{"anything-but":` + pick(rng, "1", "[0,1,2]", "2.0") + `}`
	case 13:
		return `{"anything-but":{"` + pick(rng, "prefix", "suffix", "equals-ignore-case") + `":` + some() + `}}`
	case 14:
		return `{"anything-but":{"wildcard":` + star() + `}}`
	}
	return drawScalar(rng)
}

var drawNames = []string{"a", "b", "c", "detail"}

// drawFields draws an object of fields, and of objects while it is not deep.
func drawFields(rng *rand.Rand, depth int) string {
	var parts []string
	for _, name := range drawNames {
		if rng.IntN(5) > 1 {
			continue
		}
		if depth > 0 && rng.IntN(2) == 0 {
			parts = append(parts, quote(name)+":"+drawFields(rng, depth-1))
			continue
		}
		tests := make([]string, 1+rng.IntN(2))
		for i := range tests {
			tests[i] = drawTest(rng)
		}
		parts = append(parts, quote(name)+":["+strings.Join(tests, ",")+"]")
	}
	if len(parts) == 0 {
		parts = append(parts, `"a":[`+drawTest(rng)+`]`)
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func drawPattern(rng *rand.Rand) string {
	p := drawFields(rng, 2)
	if rng.IntN(5) == 0 {
		p = p[:len(p)-1] + `,"$or":[{"x":[` + drawTest(rng) + `]},{"y":{"z":[` + drawTest(rng) + `]}}]}`
	}
	return p
}

// drawEvent draws an object that may hold lists of anything.
func drawEvent(rng *rand.Rand, depth int) string {
	var parts []string
	for _, name := range append(drawNames, "x", "y", "z") {
		if rng.IntN(3) > 0 {
			parts = append(parts, quote(name)+":"+drawValue(rng, depth))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func drawValue(rng *rand.Rand, depth int) string {
	switch n := rng.IntN(8); {
	case n < 3 && depth > 0:
		return drawEvent(rng, depth-1)
	case n < 5 && depth > 0:
		parts := make([]string, rng.IntN(4))
		for i := range parts {
			if parts[i] = drawValue(rng, depth-1); rng.IntN(2) == 0 {
				parts[i] = drawEvent(rng, depth-1)
			}
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	return drawScalar(rng)
}
