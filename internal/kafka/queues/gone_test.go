package queues

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// slow are other nodes that answer after some time, as long as they are listened to.
type slow struct{ after time.Duration }

func (s slow) Start(ctx context.Context, _ int32, _ kmsg.Request, done func(kmsg.Response, error)) {
	go func() {
		select {
		case <-time.After(s.after):
			done(&own.QueueTakeResponse{Ranges: []own.QueueRange{{First: 5, Last: 6, Count: 1}}}, nil)
		case <-ctx.Done():
			done(nil, ctx.Err())
		}
	}()
}

// What another node leased while its taker went is told to him, who can give it back: else
// nobody would have it until the lease is over.
func TestWhatAnotherNodeLeasedIsHeardThoughItsTakerGoes(t *testing.T) {
	for _, c := range []struct {
		after, took time.Duration
		count       int
	}{
		{300 * time.Millisecond, 300 * time.Millisecond, 2}, {time.Hour, 100*time.Millisecond + moment, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := alone()
			l.o.Peers = slow{c.after}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			begun := time.Now()
			got, err := l.takeThere(ctx, 2, Part{Group: "g", Topic: uuid.UUID{9}}, Want{Max: 5})
			if took := time.Since(begun); got.Count() != c.count || took != c.took {
				t.Errorf("an answer after %v: %d records after %v, want %d after %v; %v", c.after, got.Count(), took, c.count, c.took, err)
			}
			if c.count == 0 && wire.CodeOf(err) != wire.RequestTimedOut {
				t.Errorf("no answer: %v", err)
			}
		})
	}
}
