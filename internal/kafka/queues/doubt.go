package queues

import (
	"ottla/internal/partition"
	"ottla/internal/wire"
)

// A node that is cut off goes on taking itself for the leader of partitions. What it
// gives out, and what is said by good receipts, must be stored and is not. But receipts
// of whoever leads now are not known to it, and what is written there is not here.

// sure gives what is told of words that were said here: that a receipt is not good only
// where nobody else can have given it. SQS tells the one who deletes that all is well
// then, and the message would come again.
func (l *Leases) sure(log *partition.Partition, errs []error) []error {
	for i, err := range errs {
		if wire.CodeOf(err) == wire.InvalidRecordState && log.Deposed(l.o.Trusted) {
			errs[i] = wire.NotLeaderOrFollower
		}
	}
	return errs
}

// nothing is the error with which somebody hears that there is nothing to take here.
func (l *Leases) nothing(log *partition.Partition) error {
	if l.o.Mute != nil && l.o.Mute() && !log.Sole() {
		return wire.NotLeaderOrFollower
	}
	return nil
}
