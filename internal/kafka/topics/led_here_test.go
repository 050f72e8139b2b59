package topics

import (
	"testing"

	"ottla/internal/partition"
	"ottla/internal/wire"
	"ottla/test/rig/led"
)

// A node in whose place another may lead does not say that records which the other may
// have are not there.
func TestWhoMayLeadNoMoreRefusesToDeleteNothingForGood(t *testing.T) {
	for _, c := range []struct {
		what     string
		replicas []int32
		trusted  bool
		offset   int64
		want     wire.Code
	}{
		{"above the end", []int32{1, 2}, false, 7, wire.NotLeaderOrFollower},
		{"at the end", []int32{1, 2}, false, 0, wire.None},
		{"above the end where nobody else can lead", []int32{1}, false, 7, wire.OffsetOutOfRange},
		{"above the end of who leads", []int32{1, 2}, true, 7, wire.OffsetOutOfRange},
	} {
		p := led.Partition(t, c.replicas...)
		records := LedHere(func([]byte, int32) (*partition.Partition, wire.Code) { return p, wire.None }, func() bool { return c.trusted })
		if _, err := records.DeleteRecords("t", 0, c.offset); wire.CodeOf(err) != c.want {
			t.Errorf("%s: got %v, want %v", c.what, err, c.want)
		}
	}
}
