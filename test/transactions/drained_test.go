package main

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/internal/event/commit"
)

// ground is a node with topics of one partition each, and a client of it.
type ground struct {
	*testing.T
	ctx     context.Context
	address string
	client  *kgo.Client
}

func newGround(t *testing.T, topics []string, more ...kgo.Opt) *ground {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	node, err := ottla.Start(ctx, ottla.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close() })
	g := &ground{T: t, ctx: ctx, address: node.Addr()}
	g.client = g.open(append(more, kgo.SeedBrokers(node.Addr()))...)
	if _, err := kadm.NewClient(g.client).CreateTopics(ctx, 1, 1, nil, topics...); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *ground) open(opts ...kgo.Opt) *kgo.Client {
	g.Helper()
	c, err := kgo.NewClient(opts...)
	if err != nil {
		g.Fatal(err)
	}
	g.Cleanup(c.Close)
	return c
}

func (g *ground) must(err error) {
	g.Helper()
	if err != nil {
		g.Fatal(err)
	}
}

// commit lets a group have taken a topic up to an offset.
func (g *ground) commit(in intake, at int64) {
	g.Helper()
	offsets := kadm.Offsets{}
	offsets.AddOffset(in.topic, 0, at, -1)
	g.must(kadm.NewClient(g.client).CommitAllOffsets(g.ctx, in.group, offsets))
}

func (g *ground) left(when string, in intake, want ...string) {
	g.Helper()
	got, err := in.left(g.ctx, g.client)
	if err != nil || !slices.Equal(got, want) {
		g.Errorf("%s, %q is left, %v, want %q", when, got, err, want)
	}
}

// What counts as left are committed records behind what the group has committed,
// and transactions that may become such; markers and what was aborted do not.
func TestOnlyWhatReadersSeeIsLeft(t *testing.T) {
	in := intake{"g", "t"}
	g := newGround(t, []string{in.topic})
	g.left("at first", in)
	g.must(g.client.ProduceSync(g.ctx, &kgo.Record{Topic: in.topic}).FirstErr())
	g.left("before anything is committed", in, "t-0 is taken up to 0 of 1, and not the record at 0")
	g.commit(in, 1)
	g.left("after the record is taken", in)
	txn := g.open(append(g.client.Opts(), kgo.TransactionalID("x"))...)
	send := func() {
		r := &kgo.Record{Topic: in.topic}
		g.must(txn.BeginTransaction())
		g.must(txn.ProduceSync(g.ctx, r).FirstErr())
		g.must(commit.Known(g.ctx, txn, r))
	}
	send()
	g.left("while a transaction is open", in, "held back: t-0 at 1 of 2")
	g.must(txn.EndTransaction(g.ctx, kgo.TryAbort))
	g.left("after it was aborted", in)
	send()
	g.must(txn.EndTransaction(g.ctx, kgo.TryCommit))
	g.left("after one behind it was committed", in, "t-0 is taken up to 1 of 5, and not the record at 3")
	g.commit(in, 4)
	g.left("after its record is taken", in)
	g.commit(in, 5)
	g.left("after its marker is taken", in)
}

// asked tells of each OffsetFetch that was answered.
type asked chan struct{}

func (a asked) OnBrokerE2E(_ kgo.BrokerMetadata, key int16, e kgo.BrokerE2E) {
	if key == int16(kmsg.OffsetFetch) && e.Err() == nil {
		select {
		case a <- struct{}{}:
		default: // nobody counts any more
		}
	}
}

// A run goes on while any group has something left, though nobody works.
func TestTheRunIsDryWhenEachGroupHasTakenAll(t *testing.T) {
	all := []intake{{"one", "a"}, {"two", "b"}}
	asks := make(asked, 100)
	g := newGround(t, []string{"a", "b"}, kgo.WithHooks(asks))
	for _, in := range all {
		g.must(g.client.ProduceSync(g.ctx, &kgo.Record{Topic: in.topic}).FirstErr())
	}
	ended := make(chan error, 1)
	go func() { ended <- dry(g.ctx, g.client, all) }()
	for _, in := range all {
		for range 4 { // two at most are of the group before
			select {
			case <-asks:
			case err := <-ended:
				t.Fatalf("it is dry before group %s has taken topic %s, %v", in.group, in.topic, err)
			}
		}
		g.commit(in, 1)
	}
	g.must(<-ended)
}

func TestWhatIsLeftIsToldWhenTimeIsOver(t *testing.T) {
	all := []intake{{"one", "a"}, {"two", "b"}}
	g := newGround(t, []string{"a", "b"})
	g.must(g.client.ProduceSync(g.ctx, &kgo.Record{Topic: "b"}, &kgo.Record{Topic: "b"}).FirstErr())
	g.commit(all[1], 1)
	over, cancel := context.WithCancel(g.ctx)
	cancel()
	err := dry(over, g.client, all)
	if err == nil || !strings.Contains(err.Error(), "group two (Empty) of topic b: b-0 is taken up to 1 of 2, and not the record at 1") {
		t.Errorf("it ends with %v", err)
	}
}
