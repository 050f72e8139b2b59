package relay_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/cli/relay"
)

// rig is a node, what is to be found in the topic in the end, and perhaps a database.
type rig struct {
	*testing.T
	ctx  context.Context
	node *ottla.Server
	db   *sql.DB
	path string
}

func newNode(t *testing.T) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	n, err := ottla.Start(ctx, ottla.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{T: t, ctx: ctx, node: n}
	if _, err := kadm.NewClient(r.client()).CreateTopic(ctx, 3, 1, nil, "out"); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) connect(_ context.Context, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(r.node.Addr())}, opts...)...)
}

func (r *rig) client(opts ...kgo.Opt) *kgo.Client {
	r.Helper()
	c, err := r.connect(r.ctx, opts...)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(c.Close)
	return c
}

func (r *rig) outlet(t relay.Table) *relay.Outlet {
	return &relay.Outlet{Name: "shop", Table: t.Identity(), Shape: relay.Shape{Topic: "out"}, Connect: r.connect}
}

// once runs a relay until the table has nothing.
func (r *rig) once(t relay.Table) error {
	run := &relay.Relay{Table: t, Open: r.outlet(t).Open, Poll: time.Millisecond, Once: true, Note: func(err error) { r.Errorf("it goes on after %v", err) }}
	return run.Run(r.ctx)
}

func (r *rig) mustOnce(t relay.Table) {
	r.Helper()
	if err := r.once(t); err != nil {
		r.Fatal(err)
	}
}

// committed is what consumers of the topic see, up to its end.
func (r *rig) committed() (all []*kgo.Record) {
	r.Helper()
	end := r.client(kgo.DefaultProduceTopic("out"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	var marks []*kgo.Record
	for p := range int32(3) {
		marks = append(marks, &kgo.Record{Partition: p, Value: []byte("end")})
	}
	if err := end.ProduceSync(r.ctx, marks...).FirstErr(); err != nil {
		r.Fatal(err)
	}
	c := r.client(kgo.ConsumeTopics("out"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	for left := len(marks); left > 0; {
		got := c.PollFetches(r.ctx)
		if err := got.Err(); err != nil {
			r.Fatal(err)
		}
		for _, rec := range got.Records() {
			switch {
			case marks[rec.Partition].Offset == rec.Offset:
				left--
			case string(rec.Value) != "end":
				all = append(all, rec)
			}
		}
	}
	return all
}

func header(r *kgo.Record, name string) string {
	for _, h := range r.Headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

// mustHave tells whether the topic has these ids, each once.
func (r *rig) mustHave(want ...int) {
	r.Helper()
	var got, wanted []string
	for _, rec := range r.committed() {
		got = append(got, header(rec, "ce_id"))
	}
	for _, id := range want {
		wanted = append(wanted, fmt.Sprint(id))
	}
	slices.Sort(got)
	slices.Sort(wanted)
	if !slices.Equal(got, wanted) {
		r.Errorf("the topic has rows %v, want %v", got, wanted)
	}
}

func numbers(from, to int) (out []int) {
	for i := from; i <= to; i++ {
		out = append(out, i)
	}
	return out
}
