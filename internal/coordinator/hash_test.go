package coordinator

import (
	"testing"

	"ottla/internal/wire"
)

// TestKeysHashAsInJava: the values are String.hashCode's.
func TestKeysHashAsInJava(t *testing.T) {
	for key, want := range map[string]int32{
		"":                       0,
		"a":                      97,
		"hello":                  99162322,
		"console-consumer-12345": javaTwin([]uint16{'c', 'o', 'n', 's', 'o', 'l', 'e', '-', 'c', 'o', 'n', 's', 'u', 'm', 'e', 'r', '-', '1', '2', '3', '4', '5'}),
		"polygenelubricants":     -2147483648,
		"grüße":                  javaTwin([]uint16{'g', 'r', 0xfc, 0xdf, 'e'}),
		"\U0001F600x":            javaTwin([]uint16{0xd83d, 0xde00, 'x'}),
		"a\xffb":                 javaTwin([]uint16{'a', 0xfffd, 'b'}),
	} {
		if got := javaHash(key); got != want {
			t.Errorf("hash of %q: got %d, want %d", key, got, want)
		}
	}
}

// javaTwin is the definition, over UTF-16.
func javaTwin(units []uint16) int32 {
	h := int32(0)
	for _, u := range units {
		h = 31*h + int32(u)
	}
	return h
}

// TestKeysGoToTheirPartition: abs(hash) modulo the count; the hash whose
// absolute value no int holds counts as 0, as in Kafka's Utils.abs.
func TestKeysGoToTheirPartition(t *testing.T) {
	for _, c := range []struct {
		key   string
		count int
		want  int32
	}{
		{"hello", 50, 22}, {"a", 50, 47}, {"", 50, 0}, {"polygenelubricants", 50, 0}, {"hello", 1, 0},
		{"console-consumer-1", 50, 24}, {"orders-service", 50, 17}, {"my-group", 50, 12}, {"billing", 50, 9}, {"g-7", 50, 33},
	} {
		r := NewRuntime(Options{Partitions: func() int { return c.count }})
		got, err := r.PartitionFor(c.key)
		if err != nil || got != c.want {
			t.Errorf("%q of %d: got %d, %v; want %d", c.key, c.count, got, err, c.want)
		}
	}
	r := NewRuntime(Options{Partitions: func() int { return 0 }})
	if _, err := r.PartitionFor("g"); wire.CodeOf(err) != wire.CoordinatorNotAvailable {
		t.Errorf("without a topic: got %v, want COORDINATOR_NOT_AVAILABLE", err)
	}
}
