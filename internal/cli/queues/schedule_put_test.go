package queues

import "testing"

func TestRatesAreWrittenInTheirLargestUnit(t *testing.T) {
	for text, want := range map[string]string{
		"30s": "rate(30 seconds)", "90s": "rate(90 seconds)", "120s": "rate(2 minutes)", "2h": "rate(2 hours)", "24h": "rate(1 days)", "3d": "rate(3 days)",
	} {
		if got, err := every(text); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", text, got, err, want)
		}
	}
}
