package topics

import (
	"testing"
	"time"
)

func TestPositionsAreRead(t *testing.T) {
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]position{
		"start":                      {kind: atStart},
		"earliest":                   {kind: atStart},
		"end":                        {kind: atEnd},
		"17":                         {kind: atOffset, number: 17},
		"0":                          {kind: atOffset},
		"-10":                        {kind: beforeEnd, number: 10},
		"@-10m":                      {kind: atTime, at: now.Add(-10 * time.Minute)},
		"@2026-11-23T09:00:00Z":      {kind: atTime, at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)},
		"@2026-11-23T09:00:00.5Z":    {kind: atTime, at: time.Date(2026, 11, 23, 9, 0, 0, 5e8, time.UTC)},
		"@2026-11-23T09:00:00+02:00": {kind: atTime, at: time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC)},
		"@2026-11-23 09:00":          {kind: atTime, at: time.Date(2026, 11, 23, 9, 0, 0, 0, time.Local)},
		"@1700000000000":             {kind: atTime, at: time.UnixMilli(1700000000000)},
	} {
		got, err := parsePosition(text, now)
		if err != nil || got.kind != want.kind || got.number != want.number || !got.at.Equal(want.at) {
			t.Errorf("%s: got %+v, %v, want %+v", text, got, err, want)
		}
	}
}

func TestBadPositionsAreUsageErrors(t *testing.T) {
	for _, text := range []string{"", "middle", "@", "@tomorrow", "1.5", "@2026-13-01", "--5"} {
		if got, err := parsePosition(text, time.Unix(0, 0)); err == nil {
			t.Errorf("%q was read as %+v", text, got)
		}
	}
}
