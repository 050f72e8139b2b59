package config

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Spans and sizes with units are a convenience of our own file, flags and
// OTTLA_ variables ("7d", "64MiB"). Kafka's own forms never take them, and the
// normal form stays the plain number.

// spanUnits are the units of time; the longest first where one begins another.
var spanUnits = []struct {
	suffix string
	ms     int64
}{
	{"ms", msPerMs}, {"s", msPerSecond}, {"m", msPerMinute}, {"h", msPerHour}, {"d", 24 * msPerHour}, {"w", 7 * 24 * msPerHour},
}

var sizeUnits = map[string]int64{"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}

// ambiguousSizes may mean powers of ten or of two.
var ambiguousSizes = map[string]string{
	"K": "KiB", "KB": "KiB", "kB": "KiB", "k": "KiB", "M": "MiB", "MB": "MiB", "m": "MiB", "mb": "MiB",
	"G": "GiB", "GB": "GiB", "g": "GiB", "gb": "GiB", "T": "TiB", "TB": "TiB", "kb": "KiB", "tb": "TiB",
}

// takesSpan and takesSize tell whether a value may carry a unit.
func (d *Def) takesSpan() bool { return d.whole() && unitMsOf(d.Name) > 0 }

func (d *Def) takesSize() bool {
	return d.whole() && (strings.HasSuffix(d.Name, ".bytes") || strings.Contains(d.Name, ".bytes."))
}

func (d *Def) whole() bool { return d.Type == "int" || d.Type == "long" || d.Type == "short" }

// withoutUnit turns a value with a unit into the plain number of the setting's
// own unit. What has no unit, or a setting that takes none, passes unchanged.
func (d *Def) withoutUnit(value string) (string, error) {
	v := strings.TrimSpace(value)
	if v == "" || v[0] < '0' || v[0] > '9' || v[len(v)-1] >= '0' && v[len(v)-1] <= '9' {
		return value, nil
	}
	switch {
	case d.takesSpan():
		return spanIn(v, unitMsOf(d.Name))
	case d.takesSize():
		return sizeInBytes(v)
	}
	return value, nil
}

// spanIn reads "1h30m" as a whole number of units.
func spanIn(v string, unitMs int64) (string, error) {
	var total int64
	for rest := v; rest != ""; {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil {
			return "", errors.New("no span of time")
		}
		rest = rest[digits:]
		letters := strings.IndexAny(rest, "0123456789")
		if letters < 0 {
			letters = len(rest)
		}
		ms := int64(0)
		for _, u := range spanUnits {
			if u.suffix == rest[:letters] {
				ms = u.ms
			}
		}
		if ms == 0 {
			return "", fmt.Errorf("%q is no unit of time: ms, s, m, h, d and w are", strings.TrimSpace(rest[:letters]))
		}
		if n > (1<<62)/ms || total > 1<<62 {
			return "", errors.New("too long a span")
		}
		total += n * ms
		rest = rest[letters:]
	}
	if total%unitMs != 0 {
		return "", fmt.Errorf("no whole number of %s", unitWords[unitMs])
	}
	return strconv.FormatInt(total/unitMs, 10), nil
}

var unitWords = map[int64]string{msPerMs: "milliseconds", msPerSecond: "seconds", msPerMinute: "minutes", msPerHour: "hours"}

// sizeInBytes reads "64MiB".
func sizeInBytes(v string) (string, error) {
	digits := len(v) - len(strings.TrimLeft(v, "0123456789"))
	unit := strings.TrimSpace(v[digits:])
	factor := sizeUnits[unit]
	if factor == 0 {
		if clear := ambiguousSizes[unit]; clear != "" {
			return "", fmt.Errorf("%s may mean powers of ten or of two: write %s%s, or the number of bytes", unit, v[:digits], clear)
		}
		return "", fmt.Errorf("%q is no unit of size: B, KiB, MiB, GiB and TiB are", unit)
	}
	n, err := strconv.ParseInt(v[:digits], 10, 64)
	if err != nil || n > (1<<63-1)/factor {
		return "", errors.New("too large a size")
	}
	return strconv.FormatInt(n*factor, 10), nil
}
