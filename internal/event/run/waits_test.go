package run

import "testing"

// What came is known by times that are not too far apart, and never as earlier than it came.
func TestMarksTellWhatHasCome(t *testing.T) {
	var m marks
	const n = 10_000
	for i := range int64(n) {
		if m = m.add(1000+i, i); len(m) > mostMarks {
			t.Fatalf("there are %d marks", len(m))
		}
	}
	if got := m.there(999); got != 0 {
		t.Errorf("before all there were %d", got)
	}
	for i := range int64(n) {
		if got := m.there(1000 + i); got > i || got < i-n/(markShare/2) {
			t.Errorf("at %d there were %d", 1000+i, got)
		}
		if got := m.since(i); got > 1000+i || got < 1000+i-n/(markShare/2) {
			t.Errorf("%d came after %d", i, got)
		}
	}
	if m = m.add(20_000, 5); m.since(4) != 0 || m.there(19_999) != 0 || m.there(20_000) != 5 {
		t.Errorf("after the log lost its end: %v", m)
	}
	if m = m.add(30_000, 5).add(10_000, 7); len(m) != 1 {
		t.Errorf("nothing came, and the clock was moved back: %v", m)
	}
}
