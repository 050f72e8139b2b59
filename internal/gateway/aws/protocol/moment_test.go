package protocol_test

import (
	"encoding/json"
	"testing"

	"ottla/internal/gateway/aws/protocol"
)

func TestTimesAreSecondsOnTheWire(t *testing.T) {
	for text, want := range map[string]protocol.Moment{
		"1795694400": 1795694400000, "1795694400.25": 1795694400250, "1.7956944E9": 1795694400000, `"2026-11-26T12:00:00Z"`: 1795694400000, "0": 0, "-1.5": -1500,
	} {
		var got protocol.Moment
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{`"today"`, "1e300", "true", "{}", "-1e12"} {
		var got protocol.Moment
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s: got %d", text, got)
		}
	}
	if b, err := json.Marshal([]protocol.Moment{1795694400000, 1795694400250}); err != nil || string(b) != "[1795694400,1795694400.250]" {
		t.Errorf("got %s, %v", b, err)
	}
}

func FuzzMoment(f *testing.F) {
	for _, s := range []string{"1795694400", "1.5", `"2026-11-26T12:00:00Z"`, "-0", "1e9"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var m, again protocol.Moment
		if json.Unmarshal(b, &m) != nil {
			return
		}
		out, err := json.Marshal(m)
		if err == nil {
			err = json.Unmarshal(out, &again)
		}
		if err != nil || again != m {
			t.Errorf("%s is %d, told as %s, which is %d, %v", b, m, out, again, err)
		}
	})
}
