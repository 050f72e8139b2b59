package ask

import (
	"fmt"
	"testing"
	"time"
)

func TestAgesReadWell(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 1.5: "1.5s", 61: "1m1s", 3700: "1h1m", 90000: "1d1h"} {
		if got := Age(secondsOf(seconds)); got != want {
			t.Errorf("%v: got %s, want %s", seconds, got, want)
		}
	}
	if fmt.Sprint(NotNegative(-1), NotNegative(0)) != "<nil> 0" {
		t.Error("unknown numbers are not kept apart from 0")
	}
}

func secondsOf(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
