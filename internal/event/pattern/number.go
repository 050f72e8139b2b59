package pattern

import (
	"math"
	"strconv"
)

// Numbers are compared as binary64, but only those that binary64 has exactly in
// the sense that its shortest decimal form is the number itself: 0.1 is, and
// 9007199254740993 is not. The others are equal only to the same characters,
// which is how account numbers of many digits stay apart.

// exactPower are the powers of ten that binary64 has exactly.
var exactPower = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

const (
	// sureDigits is how many significant digits binary64 always gives back.
	sureDigits = 15
	// mostDigits is how many it ever needs.
	mostDigits = 17
	// farExponent is beyond every exponent of binary64.
	farExponent = 100_000
)

// decimal is a number's significant digits, without zeros at either end, as
// 0.d1d2d3… times ten to the power.
type decimal struct {
	digits   [mostDigits]byte
	n        int
	power    int
	negative bool
	long     bool // more digits than fit
}

// comparable returns the number that a JSON number's text stands for; ok is false
// when binary64 does not have it. The text must be a number by JSON's grammar.
func comparable(text []byte) (f float64, ok bool) {
	d := readDecimal(text)
	if d.n == 0 {
		return 0, true
	}
	if d.long || d.power > 310 || d.power < -330 {
		return 0, false
	}
	if d.n <= sureDigits {
		if f, ok := d.small(); ok {
			return f, true
		}
	}
	f, err := strconv.ParseFloat(string(text), 64)
	if err != nil || math.IsInf(f, 0) || f == 0 {
		return 0, false
	}
	var room [32]byte
	back := readDecimal(strconv.AppendFloat(room[:0], f, 'e', -1, 64))
	return f, back == d
}

// small is the number of few digits and a small exponent: one exact operation.
func (d *decimal) small() (float64, bool) {
	var m uint64
	for _, c := range d.digits[:d.n] {
		m = m*10 + uint64(c)
	}
	f := float64(m)
	switch e := d.power - d.n; {
	case e >= 0 && e <= 22-sureDigits:
		f *= exactPower[e]
	case e < 0 && e >= -22:
		f /= exactPower[-e]
	default:
		return 0, false
	}
	if d.negative {
		f = -f
	}
	return f, true
}

// readDecimal reads a number of JSON's grammar.
func readDecimal(text []byte) (d decimal) {
	i, point, seen := 0, false, 0
	if len(text) > 0 && text[0] == '-' {
		d.negative, i = true, 1
	}
	zeros := 0 // that are significant only if a digit follows
	for ; i < len(text); i++ {
		c := text[i]
		switch {
		case c == '.':
			point = true
			continue
		case c < '0' || c > '9':
			d.exponent(text[i:])
			i = len(text)
			continue
		}
		if seen > 0 || c != '0' {
			seen++
			if c == '0' {
				zeros++
			} else {
				d.push(zeros, c)
				zeros = 0
			}
			if !point {
				d.power++
			}
		} else if point {
			d.power--
		}
	}
	if d.n == 0 {
		return decimal{}
	}
	return d
}

// push adds zeros and one digit.
func (d *decimal) push(zeros int, c byte) {
	if d.n+zeros >= mostDigits {
		d.long = true
		return
	}
	d.n += zeros
	d.digits[d.n] = c - '0'
	d.n++
}

// exponent reads e, an optional sign and digits.
func (d *decimal) exponent(text []byte) {
	text = text[1:]
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative, text = text[0] == '-', text[1:]
	}
	e := 0
	for _, c := range text {
		e = min(e*10+int(c-'0'), farExponent)
	}
	if negative {
		e = -e
	}
	d.power += e
}
