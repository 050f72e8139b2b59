package queues

import (
	"errors"
	"testing"

	"ottla/internal/partition"
	"ottla/internal/wire"
	"ottla/test/rig/led"
)

// A receipt that is not known at a node that was cut off may be good: the message was
// taken from the one who leads now. And what is there to take it does not hear of.
func TestANodeThatMayLeadNoMoreSaysOfNoReceiptThatItIsNotGood(t *testing.T) {
	l, cut := alone(), false
	l.o.Trusted, l.o.Mute = func() bool { return !cut }, func() bool { return cut }
	shared, sole := led.Partition(t, 1, 2), led.Partition(t, 1)
	for _, c := range []struct {
		what        string
		log         *partition.Partition
		cut         bool
		stale, none wire.Code
	}{
		{"heard", shared, false, wire.InvalidRecordState, wire.None},
		{"cut off", shared, true, wire.NotLeaderOrFollower, wire.NotLeaderOrFollower},
		{"cut off, where nobody else can lead", sole, true, wire.InvalidRecordState, wire.None},
	} {
		cut = c.cut
		errs := l.sure(c.log, []error{nil, wire.Errorf(wire.InvalidRecordState, "it is done"), wire.InvalidRequest})
		if errs[0] != nil || wire.CodeOf(errs[1]) != c.stale || !errors.Is(errs[2], wire.InvalidRequest) {
			t.Errorf("%s: got %v, want %v for the second alone", c.what, errs, c.stale)
		}
		if err := l.nothing(c.log); wire.CodeOf(err) != c.none {
			t.Errorf("%s: of nothing to take: %v, want %v", c.what, err, c.none)
		}
	}
}
