package queue

import "testing"

// A handle is an argument of `ottla dlq cancel`: one that began with "-" was read as
// a flag, once in 64 moves.
func TestIdentifiersAreNoFlags(t *testing.T) {
	for range 2000 {
		if id := newID(); len(id) != 22 || id[0] == '-' {
			t.Fatalf("identifier %q", id)
		}
	}
}
