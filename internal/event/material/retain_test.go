package material_test

import (
	"testing"
	"time"

	"ottla/internal/event/material"
)

func TestSegmentsAreShorterThanWhatTheyKeep(t *testing.T) {
	for ms, want := range map[int64]string{
		-1: "604800000", 0: "60000", 60_000: "60000", time.Hour.Milliseconds(): "450000", (14 * 24 * time.Hour).Milliseconds(): "151200000",
		(3650 * 24 * time.Hour).Milliseconds(): "604800000",
	} {
		if got := material.SegmentMs(ms); got != want {
			t.Errorf("of %d: %s, want %s", ms, got, want)
		}
	}
}
