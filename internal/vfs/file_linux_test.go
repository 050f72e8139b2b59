package vfs

import "testing"

func TestAdvanceStepsOverPartlyWrittenBuffers(t *testing.T) {
	bufs := [][]byte{make([]byte, 3), {}, make([]byte, 5), make([]byte, 2)}
	flat := func(bs [][]byte, skip int) (n int) {
		for _, b := range bs {
			n += len(b)
		}
		return n - skip
	}
	for skip := range 3 {
		for n := range flat(bufs, skip) + 1 {
			rest, s := advance(bufs, skip, int64(n))
			if got, want := flat(rest, s), flat(bufs, skip)-n; got != want {
				t.Errorf("advance(skip %d, %d) leaves %d bytes, want %d", skip, n, got, want)
			}
		}
	}
}
