package replicate

import (
	"context"
	"maps"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ottla/internal/kafka/pipe"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/quota"
	"ottla/internal/wire"
)

// throttled are followers with a quota whose clock the test moves.
type throttled struct {
	*rig
	quota *quota.Quota
	m     quota.Metrics
	clock atomic.Int64
}

// span is short: the writer looks again once a span, by the wall clock.
const span = 20 * time.Millisecond

// newThrottled throttles replicas as the setting says, to 100 bytes a span.
func newThrottled(t *testing.T, partitions int32, replicas string) *throttled {
	t.Helper()
	x, r := new(throttled), metric.New()
	x.m = quota.Metrics{
		Bytes: r.Counter("ottla_replica_throttled_bytes_total", "follower"),
		Waits: r.Counter("ottla_replica_throttle_waits_total", "follower"),
	}
	x.quota = quota.New(quota.Options{Samples: 11, Span: span, Metrics: x.m, Now: func() time.Time { return time.Unix(1_700_000_000, x.clock.Load()) }})
	x.quota.Limit(int64(100 * time.Second / span))
	x.rig = newRig(t, partitions, func(o *Options, c *partition.Config) {
		o.Quota = x.quota
		// With a buffer: a fetch may go out while the test answers another.
		o.Open = func(context.Context, int32) (net.Conn, error) {
			near, far := pipe.New(pipe.Addr("1"), pipe.Addr("2"))
			x.dials <- &leader{t, far}
			return near, nil
		}
		c.Throttled.Followers = quota.ParseReplicas(replicas)
	})
	return x
}

// join follows a partition as a replica that is not in sync yet.
func (x *throttled) join(index, epoch int32) {
	x.t.Helper()
	must(x.t, x.parts[index].Become(partition.Role{Leader: 2, LeaderEpoch: epoch, PartitionEpoch: epoch, Replicas: []int32{1, 2}, ISR: []int32{2}}))
	x.all.Follow(x.parts[index], 2, epoch)
}

// until answers fetches with nothing until one asks for a partition, and fails when
// another asks for it first.
func (l *leader) until(c int32, q map[int32]int64, want, never int32) int32 {
	l.t.Helper()
	for {
		if _, there := q[never]; there {
			l.t.Fatalf("asked are %v, and %d is to wait", q, never)
		}
		if _, there := q[want]; there {
			return c
		}
		c, q = l.fetchAfter(c)
	}
}

// TestAThrottledReplicaIsNotAskedAboutUntilThereIsRoom: with whatever others there
// are in the same session going on (KIP-73).
func TestAThrottledReplicaIsNotAskedAboutUntilThereIsRoom(t *testing.T) {
	x := newThrottled(t, 2, "0:1")
	x.join(0, 3)
	x.join(1, 3)
	l, c := opened(t, x.rig)
	big := row(0, 10, 3, 0, strings.Repeat("x", 500))
	l.answer(c, wire.None, big, row(1, 10, 3, 0, strings.Repeat("y", 5000)))
	for end := int64(1); end < 20; end++ { // as often as it likes: the clock stands still
		var q map[int32]int64
		c, q = l.fetchOf()
		for len(q) == 0 {
			c, q = l.fetchAfter(c)
		}
		if !maps.Equal(q, map[int32]int64{1: end}) {
			t.Fatalf("asked are %v, want partition 1 from %d alone", q, end)
		}
		if end < 19 {
			l.answer(c, wire.None, row(1, end+10, 3, end, "y"))
		}
	}
	x.clock.Add(int64(5 * span)) // 500 bytes, and the batch's head is more
	next, q := l.fetchAfter(c)
	if x.clock.Add(int64(5 * span)); len(q) != 0 {
		t.Fatalf("asked are %v before all is paid", q)
	}
	l.until(next, q, 0, -1)
	if n := x.m.Bytes.Value(); n != int64(len(big.Records)) || x.m.Waits.Value() != 1 {
		t.Errorf("%d bytes are counted, %d waits; want %d, 1", n, x.m.Waits.Value(), len(big.Records))
	}
}

// fetchAfter answers a fetch and reads the next.
func (l *leader) fetchAfter(c int32) (int32, map[int32]int64) {
	l.t.Helper()
	l.answer(c, wire.None)
	c, q := l.fetch()
	return c, asks(q)
}

// TestAReplicaInSyncIsNotThrottled: what it gets counts, and others wait for it.
func TestAReplicaInSyncIsNotThrottled(t *testing.T) {
	x := newThrottled(t, 2, "*")
	x.follow(0, 3) // in the ISR
	x.join(1, 3)
	l, c := opened(t, x.rig)
	l.answer(c, wire.None, row(0, 0, 3, 0, strings.Repeat("x", 500)), row(1, 10, 3, 0, "y"))
	for end := int64(1); end < 10; end++ {
		var q map[int32]int64
		c, q = l.fetchOf()
		c = l.until(c, q, 0, 1)
		l.answer(c, wire.None, row(0, end, 3, end, "x"))
	}
	if n := x.parts[0].Offsets().LogEnd; n < 9 {
		t.Errorf("its log ends at %d", n)
	}
	x.quota.Limit(quota.Unlimited)
	c, q := l.fetchOf()
	l.until(c, q, 1, -1)
}

func (l *leader) fetchOf() (int32, map[int32]int64) {
	l.t.Helper()
	c, q := l.fetch()
	return c, asks(q)
}

// TestAReplicaThatHasCaughtUpIsNotThrottled: it has all that is committed, and shall
// join those in sync.
func TestAReplicaThatHasCaughtUpIsNotThrottled(t *testing.T) {
	x := newThrottled(t, 1, "*")
	x.join(0, 3)
	l, c := opened(t, x.rig)
	l.answer(c, wire.None, row(0, 1, 3, 0, strings.Repeat("x", 500)))
	if _, q := l.fetch(); asks(q)[0] != 1 {
		t.Errorf("asked are %v", asks(q))
	}
}

// TestASessionIsOpenedThoughAllIsThrottled: a new connection says something, and
// what is held back comes once there is room.
func TestASessionIsOpenedThoughAllIsThrottled(t *testing.T) {
	x := newThrottled(t, 1, "0:1")
	x.quota.Take(500)
	x.join(0, 3)
	l := x.dial()
	c, q := l.fetch()
	if q.SessionEpoch != 0 || len(q.Asks) != 0 {
		t.Fatalf("the first fetch says %+v", q)
	}
	l.answer(c, wire.None)
	c, q = l.fetch()
	if q.SessionID != 5 || len(q.Asks) != 0 {
		t.Fatalf("the second fetch says %+v", q)
	}
	x.clock.Add(int64(5 * span))
	l.until(c, asks(q), 0, -1)
}
