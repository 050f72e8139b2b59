package timers

import (
	"context"
	"log/slog"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/kafka/api"
	"ottla/internal/outbox"
	"ottla/internal/timer"
)

// Topic is where timers are kept.
const Topic = "__ottla_timers"

// Coordinator runs the machines of this node.
type Coordinator interface {
	PartitionFor(key string) (int32, error)
	// GoAt gives a command to the machine of a partition; done is called once, from
	// any goroutine, with its reply.
	GoAt(ctx context.Context, partition int32, cmd any, done func(any, error))
	// Each gives a command to all machines of this node.
	Each(ctx context.Context, cmd any) []coordinator.Answer
	SettleAll(ctx context.Context) error
}

// Deps are what the family needs of its node.
type Deps struct {
	NodeID  int32
	Cluster api.Cluster
	Timers  Coordinator
	Peers   outbox.Peers // nil: there are no other nodes
	// Prepare makes an internal topic if it is not there, and returns when a key's
	// coordinator may be asked.
	Prepare func(ctx context.Context, topic, key string) error
	// Partitions finds those of this node.
	Partitions Partitions
	// Wall is the domain clock.
	Wall   func() time.Time
	Logger *slog.Logger
	// Pause waits between two tries, at most until ctx ends; nil means by the
	// system's clock.
	Pause func(ctx context.Context, d time.Duration)
}

// Family is the timers of all nodes, as this one reaches them. It implements
// timer.Timers.
type Family struct{ d Deps }

var _ timer.Timers = (*Family)(nil)

// New makes the family.
func New(d Deps) *Family {
	if d.Logger == nil {
		d.Logger = slog.New(slog.DiscardHandler)
	}
	if d.Pause == nil {
		d.Pause = pause
	}
	return &Family{d}
}

// pause waits by the system's clock.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
