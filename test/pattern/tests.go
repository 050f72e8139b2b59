package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// drawnTest is one test of a field, with a way to draw values that pass it.
type drawnTest struct {
	kind string // the operator, with what stands within it
	text string // as JSON
	// fit draws a value that passes, as JSON; "" for none at all.
	fit func() string
}

// parts are what strings are made of: short, so that they meet, with characters of
// one to three bytes, letters of both cases, and such as change length with case.
var parts = []string{"a", "b", "A", "B", "ab", "-", ".", "0", "7", "é", "É", "ß", "日", "本", "order", "Order", "eu-", "\\", "*", "k", "s", "ſ", "ﬁ", "ǅ", "İ", "ı", "Σ", "ς"}

func word(rng *rand.Rand) string {
	n := rng.IntN(5)
	if rng.IntN(3) > 0 && n == 0 {
		n = 1
	}
	var b strings.Builder
	for range n {
		i := rng.IntN(len(parts))
		if rng.IntN(3) > 0 {
			i = rng.IntN(6)
		}
		b.WriteString(parts[i])
	}
	return b.String()
}

// text writes a string as JSON, here and there with escapes that need not be.
func text(rng *rand.Rand, s string) string {
	if rng.IntN(8) == 0 {
		var b strings.Builder
		for _, r := range s {
			if r < 0x10000 && rng.IntN(2) == 0 {
				fmt.Fprintf(&b, "\\u%04x", r)
			} else {
				out, _ := json.Marshal(string(r)) // a string is always JSON
				b.Write(out[1 : len(out)-1])
			}
		}
		return `"` + b.String() + `"`
	}
	out, _ := json.Marshal(s)
	return string(out)
}

// number draws a number, most of them small.
func number(rng *rand.Rand) string {
	switch rng.IntN(12) {
	case 0:
		return strconv.FormatFloat(rng.NormFloat64()*100, 'g', -1, 64)
	case 1:
		return strconv.FormatUint(rng.Uint64(), 10)
	case 2:
		return strconv.FormatFloat(rng.NormFloat64(), 'e', rng.IntN(20), 64)
	case 3:
		return fmt.Sprintf("%d.%02d", rng.IntN(20)-10, rng.IntN(100))
	case 4:
		return []string{"0", "-0", "0.0", "1e400", "1e-400", "0.1", "0.30000000000000004", "9007199254740993", "1E2", "1e+2", "100", "123456789012", "5e-324", "1.7976931348623157e308"}[rng.IntN(14)]
	}
	return strconv.Itoa(rng.IntN(20) - 5)
}

// written is a number in another form.
func written(rng *rand.Rand, n string) string {
	if strings.ContainsAny(n, "eE.") || len(n) > 10 || strings.TrimPrefix(n, "-") == "0" {
		return n
	}
	switch rng.IntN(6) {
	case 0:
		return n + ".0"
	case 1:
		return n + "e0"
	case 2:
		return n + "0e-1"
	case 3:
		return n + ".000E+00"
	}
	return n
}

// otherCase changes the case of some letters.
func otherCase(rng *rand.Rand, s string) string {
	var b strings.Builder
	for _, r := range s {
		switch rng.IntN(3) {
		case 0:
			b.WriteString(strings.ToUpper(string(r)))
		case 1:
			b.WriteString(strings.ToLower(string(r)))
		default:
			b.WriteRune(unicode.SimpleFold(r))
		}
	}
	return b.String()
}

// starred draws a wildcard and returns it, as it is written in a pattern, and a
// way to fill it.
func starred(rng *rand.Rand) (string, func() string) {
	var b strings.Builder
	literals := []string{}
	for i := range 1 + rng.IntN(3) {
		w := word(rng)
		if i > 0 {
			if w == "" && rng.IntN(2) == 0 {
				w = "a"
			}
			b.WriteByte('*')
		}
		literals = append(literals, w)
		b.WriteString(strings.NewReplacer(`\`, `\\`, `*`, `\*`).Replace(w))
	}
	if rng.IntN(4) == 0 {
		b.WriteByte('*')
		literals = append(literals, "")
	}
	return b.String(), func() string {
		out := literals[0]
		for _, l := range literals[1:] {
			out += word(rng) + l
		}
		return out
	}
}

// addressIn draws an address of a network in one of its forms.
func addressIn(rng *rand.Rand, p netip.Prefix) string {
	raw := p.Addr().AsSlice()
	for bit := p.Bits(); bit < 8*len(raw); bit++ {
		if rng.IntN(2) == 0 {
			raw[bit/8] ^= 0x80 >> (bit % 8)
		}
	}
	a, _ := netip.AddrFromSlice(raw) // of 4 or 16 bytes, as it came
	switch {
	case a.Is6() && rng.IntN(3) == 0:
		return a.StringExpanded()
	case a.Is6() && rng.IntN(3) == 0:
		return strings.ToUpper(a.String())
	}
	return a.String()
}

func network(rng *rand.Rand) netip.Prefix {
	if rng.IntN(2) == 0 {
		a := netip.AddrFrom4([4]byte{10, byte(rng.IntN(3)), byte(rng.IntN(256)), byte(rng.IntN(256))})
		return netip.PrefixFrom(a, rng.IntN(32))
	}
	raw := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	for i := 12; i < 16; i++ {
		raw[i] = byte(rng.IntN(3) * rng.IntN(256))
	}
	return netip.PrefixFrom(netip.AddrFrom16(raw), rng.IntN(128))
}

// someValue is a value of any type.
func someValue(rng *rand.Rand) string {
	switch rng.IntN(8) {
	case 0:
		return []string{"true", "false", "null"}[rng.IntN(3)]
	case 1, 2:
		return number(rng)
	case 3:
		return text(rng, addressIn(rng, network(rng)))
	}
	return text(rng, word(rng))
}
