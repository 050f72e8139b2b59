package schedule_test

import (
	"context"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

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
	other := schedule.New(schedule.Options{
		Objects: r.Objects(), Timers: r.Timers(), Queues: r.Queues(),
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
