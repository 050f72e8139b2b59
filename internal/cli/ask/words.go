package ask

import (
	"fmt"
	"strings"
	"time"

	"ottla/internal/cli/fail"
	"ottla/internal/event/letter"
)

func days(n int64) string {
	text := (time.Duration(n) * time.Hour).String()
	return strings.TrimSuffix(text, "h0m0s") + "d"
}

// Writer is what records are written to.
type Writer interface {
	Write([]byte) (int, error)
	WriteString(string) (int, error)
}

// Shown keeps null, empty and unprintable apart.
func Shown(b []byte) string {
	switch {
	case b == nil:
		return "(null)"
	case len(b) == 0:
		return "(empty)"
	}
	for _, r := range string(b) {
		if r == '\uFFFD' || r < ' ' && r != '\t' && r != '\n' {
			return fmt.Sprintf("%q", b)
		}
	}
	return string(b)
}

// Pointed is a text, and nil where there is none.
func Pointed(s *string) any {
	if s == nil {
		return nil
	}
	return *s
}

// NonEmpty is one line, and none when what it is made of is empty.
func NonEmpty(text, when string) []string {
	if when == "" {
		return nil
	}
	return []string{text}
}

// List keeps an empty list apart from null in JSON.
func List(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

// Age writes a duration for people: the two largest units.
func Age(d time.Duration) string {
	switch {
	case d == 0:
		return "0s"
	case d < time.Minute:
		return d.Round(10 * time.Millisecond).String()
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%dh", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// NotNegative turns -1, which stands for unknown, into a missing value.
func NotNegative(n int64) any {
	if n < 0 {
		return nil
	}
	return n
}

// OrNil is a text, and nil where it is empty.
func OrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

const dayMs = 24 * 3600_000

// InWords is a time in milliseconds for people, as they write it: 30s, 1h30m, 4d; nil
// for none.
func InWords(ms int64) any {
	if ms == 0 {
		return nil
	}
	if ms%dayMs == 0 {
		return days(ms / dayMs)
	}
	text := (time.Duration(ms) * time.Millisecond).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}

// Milliseconds reads a duration flag.
func Milliseconds(flag, text string) (int64, error) {
	d, err := letter.Duration(text)
	if err != nil {
		return 0, fail.Usagef("--%s %s: want a number with its unit, as in 30s or 4d", flag, text)
	}
	return d.Milliseconds(), nil
}

// TimeOf is a time for people and programs; nil for none.
func TimeOf(ms int64) any {
	if ms == 0 {
		return nil
	}
	return time.UnixMilli(ms).UTC().Format(time.RFC3339)
}

// CountWord is a number of things: 1 topic, 2 topics.
func CountWord(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// Moment reads a time with its zone; 0 for none.
func Moment(flag, text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return 0, fail.Usagef("%s %s: want a time with its zone, as 2026-12-01T00:00:00Z or …+01:00", flag, text)
	}
	return t.UnixMilli(), nil
}
