package schedule_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/schedule"
)

// until advances by nothing until a topic has n committed records: what a fault
// broke off goes on by itself, and settling may meet the fault.
func (r *rig) until(topic string, n int) []*kgo.Record {
	r.Helper()
	for ctx := r.ctx(); ; {
		settled := r.clock.Advance(ctx, 0)
		got := r.records(topic, 0)
		if len(got) >= n && settled == nil {
			return got
		}
		if ctx.Err() != nil {
			r.Fatalf("%d of %d records; settling says %v", len(got), n, settled)
		}
	}
}

// Whenever connections break, every slot is run, and none twice.
func TestNoRunIsLostOrComesTwiceWhenConnectionsBreak(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	d := r.put("often", spec("rate(30 minutes)", "jobs"))
	ctx, cancel := context.WithCancel(r.ctx())
	var cutter sync.WaitGroup
	cutter.Go(func() {
		for ctx.Err() == nil {
			r.CutConnections()
			select {
			case <-ctx.Done():
			case <-time.After(7 * time.Millisecond):
			}
		}
	})
	for range 20 {
		_ = r.clock.Advance(r.ctx(), time.Hour) // what does not settle is run later
	}
	cancel()
	cutter.Wait()
	got := r.until("jobs", 41)
	if err := once(got); err != nil {
		t.Error(err)
	}
	if s := slots(got, time.UnixMilli(d.SinceMs)); !slices.Equal(s, every(1800, 41)) {
		t.Errorf("ran at %v", s)
	}
}

// Two that both take themselves for the leader: each run is there once all the
// same, because each fences the other.
func TestTwoRunnersAtOnceRunEverySlotOnce(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	d := r.put("often", spec("rate(1 hour)", "jobs"))
	r.advance(time.Second)
	other := r.another(r.Objects())
	for range 5 {
		_ = r.clock.Advance(r.ctx(), time.Hour)
		_ = other.Settle(r.ctx())
	}
	other.Close()
	got := r.until("jobs", 6)
	if err := once(got); err != nil {
		t.Error(err)
	}
	if s := slots(got, time.UnixMilli(d.SinceMs)); !slices.Equal(s, every(3600, 6)) {
		t.Errorf("ran at %v", s)
	}
}

// another runs all schedules of the node, too.
func (r *rig) another(objects schedule.Objects) *schedule.Service {
	return schedule.New(schedule.Options{
		Objects: objects, Timers: r.Timers(), Queues: r.Queues(),
		Client: func(opts ...kgo.Opt) (*kgo.Client, error) {
			dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return r.Dial(ctx) }
			return kgo.NewClient(append(opts, kgo.SeedBrokers(r.KafkaAddr()), kgo.Dialer(dial))...)
		},
		Partitions: func(topic string) int {
			switch topic {
			case "jobs":
				return 2
			case schedule.StateTopic, schedule.WakeTopic:
				return schedule.Partitions
			}
			return 0
		},
		Leads: func(string, int32) bool { return true }, Create: func(context.Context) error { return nil }, Now: r.clock.Now,
	})
}

// behind is a store that tells of one definition, and of all others when it is asked
// to be up to date.
type behind struct {
	schedule.Objects
	mu    sync.Mutex // guards all below
	asked bool
	told  int
	held  []func()
	was   chan struct{} // closed when it was asked
}

func (b *behind) Watch(begin name.Ref, tell func(object.News)) func() {
	return b.Objects.Watch(begin, func(n object.News) {
		b.mu.Lock()
		if b.told++; b.told > 1 && !b.asked {
			b.held = append(b.held, func() { tell(n) })
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		tell(n)
	})
}

func (b *behind) List(ctx context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error) {
	b.mu.Lock()
	held := b.held
	b.held = nil
	if !b.asked {
		b.asked = true
		close(b.was)
	}
	b.mu.Unlock()
	for _, tell := range held {
		tell()
	}
	return b.Objects.List(ctx, begin, after, most)
}

// What is known of a schedule outlives a runner that begins before its node has heard
// of the schedule again: it does not take it for one that was deleted.
func TestARunnerThatBeginsBeforeItsNodeKnowsAllDefinitionsForgetsNone(t *testing.T) {
	r := newRig(t)
	r.topic("jobs")
	for i := range 8 { // in all partitions
		r.put(fmt.Sprint("s", i), spec("rate(1 hour)", "jobs"))
	}
	r.advance(90 * time.Minute)
	late := &behind{Objects: r.Objects(), was: make(chan struct{})}
	other := r.another(late)
	select { // each of its runners asks, and before that nothing is known to be gone
	case <-late.was:
	case <-r.ctx().Done():
		t.Error("runners begin without knowing all definitions")
	}
	_ = other.Settle(r.ctx()) // the node's own may have taken its place again
	other.Close()
	_ = r.clock.Advance(r.ctx(), time.Hour) // what does not settle is run later
	if got := r.until("jobs", 8*3); once(got) != nil || len(got) != 8*3 {
		t.Errorf("%d runs, want 24: %v", len(got), once(got))
	}
}
