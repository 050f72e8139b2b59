package schedule_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory whose clock a test moves.
type rig struct {
	*testing.T
	*server.Server
	clock *clock.Clock
	fs    vfs.FS
	kafka *kgo.Client
	// settings of the node, beside the rig's.
	settings map[string]string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	return newRigWith(t, nil)
}

// newRigWith is newRig of a node that has more settings.
func newRigWith(t *testing.T, settings map[string]string) *rig {
	t.Helper()
	r := &rig{T: t, clock: &clock.Clock{}, fs: vfs.NewMem(0), settings: settings}
	r.start()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.Cleanup(cancel)
	return ctx
}

// must ends the test on an error.
func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) start() {
	r.Helper()
	settings := map[string]string{"num.partitions": "2"}
	maps.Copy(settings, r.settings)
	static, err := config.StaticOf("test", settings)
	r.must(err)
	r.Server, err = server.Start(r.ctx(), server.Options{
		FS: r.fs, Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: r.clock.Now, Live: time.Now, Clock: r.clock, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test", LoopbackTargets: true,
	})
	r.must(err)
	r.kafka, err = kgo.NewClient(kgo.SeedBrokers(r.KafkaAddr()), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return r.Dial(ctx) }),
		kgo.MetadataMinAge(10*time.Millisecond))
	r.must(err)
}

func (r *rig) stop() {
	r.Helper()
	if r.kafka == nil {
		return
	}
	r.kafka.Close()
	r.kafka = nil
	r.must(r.Server.Close())
}

func (r *rig) advance(d time.Duration) {
	r.Helper()
	r.must(r.clock.Advance(r.ctx(), d))
}

func (r *rig) topic(name string) {
	r.Helper()
	made, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx(), 2, 1, nil, name)
	r.must(err)
	r.must(made.Err)
}

func (r *rig) queue(name string) {
	r.Helper()
	_, _, err := r.Queues().Create(r.ctx(), queue.Ref{Name: name}, queue.DefaultSpec())
	r.must(err)
}

func (r *rig) put(name string, spec schedule.Spec) schedule.Schedule {
	r.Helper()
	d, _, err := r.Schedules().Put(r.ctx(), schedule.Ref{Name: name}, spec)
	r.must(err)
	return d
}

// records are the committed records of a topic, n of them or as many as there are
// at the moment, in the order of the times that they were meant for.
func (r *rig) records(topic string, n int) []*kgo.Record {
	r.Helper()
	ends, err := kadm.NewClient(r.kafka).ListCommittedOffsets(r.ctx(), topic)
	r.must(err)
	r.must(ends.Error())
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	c, err := kgo.NewClient(kgo.SeedBrokers(r.KafkaAddr()), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.KeepControlRecords())
	r.must(err)
	defer c.Close()
	var out []*kgo.Record
	for ctx := r.ctx(); len(out) < n || n == 0 && len(left) > 0; {
		got := c.PollFetches(ctx)
		if ctx.Err() != nil {
			r.Fatalf("%d of %d records of %s came", len(out), n, topic)
		}
		got.EachRecord(func(rec *kgo.Record) {
			if !rec.Attrs.IsControl() {
				out = append(out, rec)
			}
			if rec.Offset+1 >= left[rec.Partition] {
				delete(left, rec.Partition)
			}
		})
	}
	slices.SortStableFunc(out, func(a, b *kgo.Record) int {
		return slices.Compare([]byte(header(a, "ce_time")), []byte(header(b, "ce_time")))
	})
	return out
}

func header(rec *kgo.Record, key string) string {
	for _, h := range rec.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// slots are the times that records were meant for, in seconds from a moment on.
func slots(recs []*kgo.Record, from time.Time) []int {
	var out []int
	for _, rec := range recs {
		at, err := time.Parse(time.RFC3339, header(rec, "ce_time"))
		if err != nil {
			out = append(out, -1)
			continue
		}
		out = append(out, int(at.Sub(from.Truncate(time.Second))/time.Second))
	}
	return out
}

// every is seconds 0, step, 2*step and so on, n of them.
func every(step, n int) []int {
	var out []int
	for i := range n {
		out = append(out, i*step)
	}
	return out
}

func spec(expression, topic string) schedule.Spec {
	return schedule.Spec{Expression: expression, Target: schedule.Target{Topic: topic, Input: "run"}}
}

// once tells whether each record has an id of its own.
func once(recs []*kgo.Record) error {
	seen := map[string]bool{}
	for _, rec := range recs {
		id := header(rec, "ce_id")
		if id == "" || seen[id] {
			return fmt.Errorf("the run %q is there twice, or has no id", id)
		}
		seen[id] = true
	}
	return nil
}

func (r *rig) admin() *kadm.Client { return kadm.NewClient(r.kafka) }
