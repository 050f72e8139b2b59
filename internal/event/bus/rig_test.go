package bus_test

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/event/bus"
	"ottla/internal/event/envelope"
	"ottla/internal/event/plan"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory, and buses of the test's own on it.
type rig struct {
	*testing.T
	ctx   context.Context
	node  *server.Server
	buses *bus.Service
	kafka *kgo.Client
	nowMs atomic.Int64
	o     bus.Options
}

func newRig(t *testing.T, change ...func(*bus.Options)) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r := &rig{T: t, ctx: ctx}
	r.nowMs.Store(time.Now().UnixMilli())
	static, err := config.StaticOf("test", map[string]string{"log.dirs": "/data"})
	r.must(err)
	r.node, err = server.Start(ctx, server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, HTTP: "127.0.0.1:0",
		Static: static, Now: time.Now, Live: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: server.DefaultVerifyAge,
	})
	r.must(err)
	t.Cleanup(func() {
		if err := r.node.Close(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	client := func(opts ...kgo.Opt) (*kgo.Client, error) {
		return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(r.node.KafkaAddr()), kgo.MetadataMinAge(20 * time.Millisecond)}, opts...)...)
	}
	r.kafka, err = client()
	r.must(err)
	t.Cleanup(r.kafka.Close)
	r.o = bus.Options{
		Objects: r.node.Objects(), Client: client, Now: func() time.Time { return time.UnixMilli(r.nowMs.Load()) },
		Partitions: func(topic string) int {
			req := kmsg.NewPtrMetadataRequest()
			of := kmsg.NewMetadataRequestTopic()
			of.Topic, req.AllowAutoTopicCreation = &topic, false
			req.Topics = append(req.Topics, of)
			all, err := req.RequestWith(ctx, r.kafka)
			if err != nil || all.Topics[0].ErrorCode != 0 {
				return 0
			}
			return len(all.Topics[0].Partitions)
		},
	}
	for _, c := range change {
		c(&r.o)
	}
	r.open()
	t.Cleanup(func() { r.buses.Close() })
	return r
}

// open makes the buses, also anew.
func (r *rig) open() { r.buses = bus.New(r.o) }

// must ends the test on an error.
func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// rule puts a rule with targets.
func (r *rig) rule(ref bus.RuleRef, pattern string, targets ...bus.Target) bus.Rule {
	r.Helper()
	rule, _, err := r.buses.PutRule(r.ctx, ref, func(s *bus.RuleSpec) error { s.Pattern = pattern; return nil })
	r.must(err)
	if len(targets) > 0 {
		var errs []error
		rule, errs, err = r.buses.PutTargets(r.ctx, ref, targets)
		r.must(err)
		for _, err := range errs {
			r.must(err)
		}
	}
	return rule
}

// put puts one event.
func (r *rig) put(to bus.Ref, source, typ, data string) bus.Result {
	r.Helper()
	got := r.buses.Put(r.ctx, []bus.Entry{{Bus: to, Event: event(source, typ, data)}})
	r.must(got[0].Err)
	return got[0]
}

func event(source, typ, data string) *envelope.Event {
	return &envelope.Event{Source: source, Type: typ, DataContentType: envelope.JSON, Data: []byte(data)}
}

// source is what is published of a bus.
func (r *rig) source(of bus.Ref) *plan.Source {
	r.Helper()
	src, ok := r.buses.Source(of.Full())
	if !ok {
		r.Fatalf("nothing is published of %s", of.Full())
	}
	return src
}

// topic makes a topic.
func (r *rig) topic(name string) {
	r.Helper()
	made, err := kadm.NewClient(r.kafka).CreateTopic(r.ctx, 1, -1, nil, name)
	r.must(err)
	r.must(made.Err)
}

// matched are the names of the rules that take an event.
func (r *rig) matched(src *plan.Source, e *envelope.Event) []string {
	r.Helper()
	into, err := src.Match(nil, e.AppendDocument(nil))
	r.must(err)
	var out []string
	for _, i := range into {
		out = append(out, bus.RuleRefOf(src.Rules[i].Ref).Name)
	}
	return out
}
