package coordinator

import (
	"log/slog"
	"time"

	"ottla/internal/record"
)

// Options make a Runtime.
type Options struct {
	Topic string
	// Partitions tells how many the topic has, 0 when there is none yet.
	Partitions func() int
	// New makes the machine of one partition.
	New func(partition int32) Machine
	// Trusted tells whether nobody can have taken over from this node yet; Exact
	// reads are refused while it does not hold. Nil is always.
	Trusted func() bool
	// Mute tells whether this node is cut off for all that it knows, so that
	// another coordinates in its place, or nobody: where another node has the
	// partition too, no command is taken then, and who waits is let go. Nil is
	// never.
	Mute func() bool
	// Codec compresses what is written.
	Codec record.Codec
	// Now is the clock of time-outs and retries.
	Now func() time.Time
	// Wall dates records and what machines write of time; nil means Now.
	Wall func() time.Time
	// Alarm calls ring once, at or after the given time of Now, unless stop was
	// called before; ring is quick. nil means the system's timers.
	Alarm func(at time.Time, ring func()) (stop func())
	// SnapshotBytes of log bring a snapshot of a shard; 0 means 16 MiB. It is
	// more when snapshots are large: see snapshot.go.
	SnapshotBytes int64
	Logger        *slog.Logger
	Metrics       Metrics
}

func (o *Options) fill() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Alarm == nil {
		o.Alarm = func(at time.Time, ring func()) func() {
			t := time.AfterFunc(max(at.Sub(o.Now()), time.Millisecond), ring)
			return func() { t.Stop() }
		}
	}
	if o.SnapshotBytes <= 0 {
		o.SnapshotBytes = snapshotEvery
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}
