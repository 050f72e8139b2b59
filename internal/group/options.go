package group

import (
	"time"

	"ottla/internal/group/kind"
)

// Settings are what classic groups and offsets heed, by Kafka's names, and the
// kinds of group beside them.
type Settings struct {
	MinSession, MaxSession time.Duration // group.{min,max}.session.timeout.ms
	InitialDelay           time.Duration // group.initial.rebalance.delay.ms
	MaxSize                int           // group.max.size
	MaxMetadata            int           // offset.metadata.max.bytes
	Retention              time.Duration // offsets.retention.minutes
	RetentionCheck         time.Duration // offsets.retention.check.interval.ms
	// Kinds make the kinds of group beside the classic one, for each machine
	// its own.
	Kinds []func(kind.Host) kind.Kind
}

// Defaults are Kafka's.
func Defaults() Settings {
	return Settings{
		MinSession: 6 * time.Second, MaxSession: 30 * time.Minute,
		InitialDelay: 3 * time.Second,
		MaxSize:      1<<31 - 1,
		MaxMetadata:  4096,
		Retention:    7 * 24 * time.Hour, RetentionCheck: 10 * time.Minute,
	}
}

// fullAt bounds the tombstones that one turn writes, so that they fit in a
// batch; the rest is another turn's.
const fullAt = 1000

// newMemberTimeout is how long a member that waits for its first rebalance is
// kept without a sign of life: its join is parked, so it sends none. Kafka has
// the same, without a setting.
const newMemberTimeout = 5 * time.Minute

// maxPending bounds the ids of one group that were given out and have not come
// back: clients that ask for ids and never join shall not fill the memory. It
// is far above what a group that is started all at once needs.
const maxPending = 10_000
