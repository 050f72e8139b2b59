package ring

import "testing"

func TestABatchNearTheEndIsFound(t *testing.T) {
	var r Tail
	r.Reset(100, 5000)
	for i := range int64(10) { // batches of 3 offsets and 10 bytes
		r.Push(100+3*(i+1), 5000+10*(i+1))
	}
	for _, c := range []struct{ offset, start, end, next int64 }{
		{130, 5100, -1, -1}, {129, 5090, 5100, 130}, {127, 5090, 5100, 130}, {126, 5080, 5090, 127}, {100, 5000, 5010, 103}, {102, 5000, 5010, 103},
	} {
		if start, end, next, ok := r.Find(c.offset); !ok || start != c.start || end != c.end || next != c.next {
			t.Errorf("offset %d: %d to %d, then %d, %v; want %d to %d, then %d", c.offset, start, end, next, ok, c.start, c.end, c.next)
		}
	}
	if _, _, _, ok := r.Find(99); ok {
		t.Error("found what lies before the first boundary")
	}
}

func TestOnlySoManyBoundariesAreRemembered(t *testing.T) {
	var r Tail
	r.Reset(0, 0)
	for i := range int64(3 * size) {
		r.Push(i+1, 10*(i+1))
	}
	last := int64(3 * size)
	for offset := last - size + 1; offset <= last; offset++ {
		if start, _, _, ok := r.Find(offset); !ok || start != 10*offset {
			t.Errorf("offset %d: byte %d, %v", offset, start, ok)
		}
	}
	if start, _, _, ok := r.Find(last - size); ok {
		t.Errorf("offset %d, long overwritten, is at byte %d", last-size, start)
	}
	r.Reset(7, 70)
	if start, end, _, ok := r.Find(7); !ok || start != 70 || end != -1 {
		t.Errorf("after a reset: %d, %d, %v", start, end, ok)
	}
}
