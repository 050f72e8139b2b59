package queue_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/config"
	"ottla/internal/event/queue"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

// clock is a domain clock that stands still unless a test moves it.
type clock struct{ ms atomic.Int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.ms.Load()) }

// rig is a node whose domain clock the test moves.
type rig struct {
	*testing.T
	ctx   context.Context
	fs    vfs.FS
	set   map[string]string // settings of the node
	clock clock
	s     *server.Server
	q     *queue.Service
}

func start(t *testing.T) *rig {
	t.Helper()
	return startOn(t, vfs.NewMem(0), time.Now().UnixMilli(), nil)
}

// startOn starts a node on a disk, at a time.
func startOn(t *testing.T, fs vfs.FS, nowMs int64, set map[string]string) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	r := &rig{T: t, ctx: ctx, fs: fs, set: set}
	r.clock.ms.Store(nowMs)
	r.open()
	t.Cleanup(func() { r.stop() })
	return r
}

func (r *rig) open() {
	r.Helper()
	settings := map[string]string{"log.dirs": "/data"}
	maps.Copy(settings, r.set)
	static, err := config.StaticOf("the test", settings)
	if err != nil {
		r.Fatal(err)
	}
	s, err := server.Start(r.ctx, server.Options{
		FS: r.fs, Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, HTTP: "127.0.0.1:0",
		Static: static, Now: r.clock.now, Live: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: server.DefaultVerifyAge,
	})
	if err != nil {
		r.Fatal(err)
	}
	r.s, r.q = s, s.Queues()
}

func (r *rig) stop() {
	r.Helper()
	if err := r.s.Close(); err != nil {
		r.Errorf("stop: %v", err)
	}
}

func (r *rig) restart() {
	r.Helper()
	r.stop()
	r.open()
}

// pass moves the clock, and waits until what is due has settled.
func (r *rig) pass(d time.Duration) {
	r.Helper()
	r.clock.ms.Add(d.Milliseconds())
	r.must(r.s.Settle(r.ctx))
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func ref(name string) queue.Ref { return queue.Ref{Name: name} }

// create makes a queue that is otherwise as by default.
func (r *rig) create(name string, change func(*queue.Spec)) queue.Queue {
	r.Helper()
	spec := queue.DefaultSpec()
	spec.FIFO = strings.HasSuffix(name, ".fifo")
	if change != nil {
		change(&spec)
	}
	q, made, err := r.q.Create(r.ctx, ref(name), spec)
	r.must(err)
	if !made {
		r.Fatalf("%s was there", name)
	}
	return q
}

// send sends bodies as messages.
func (r *rig) send(name string, bodies ...string) []queue.Sent {
	r.Helper()
	var all []queue.Message
	for _, b := range bodies {
		all = append(all, queue.Message{Body: []byte(b), DelayMs: -1})
	}
	return r.sendAll(name, all...)
}

func (r *rig) sendAll(name string, all ...queue.Message) []queue.Sent {
	r.Helper()
	got, err := r.q.Send(r.ctx, ref(name), all)
	r.must(err)
	for i := range got {
		r.must(got[i].Err)
	}
	return got
}

// grouped is a message of a group.
func grouped(group, id, body string) queue.Message {
	return queue.Message{Group: group, DedupID: id, Body: []byte(body), DelayMs: -1}
}

// take takes at most so many messages that are free now.
func (r *rig) take(name string, most int) []queue.Taken {
	r.Helper()
	return r.takeFor(name, most, -1)
}

func (r *rig) takeFor(name string, most int, visibilityMs int64) []queue.Taken {
	r.Helper()
	var out []queue.Taken
	for len(out) < most {
		got, err := r.q.Take(r.ctx, ref(name), queue.TakeOptions{Max: most - len(out), VisibilityMs: visibilityMs})
		r.must(err)
		if len(got) == 0 {
			break
		}
		out = append(out, got...)
	}
	return out
}

// bodies are what messages say, with how often they were taken.
func bodies(all []queue.Taken) string {
	var out []string
	for i := range all {
		out = append(out, fmt.Sprintf("%s:%d", all[i].Body, all[i].Count))
	}
	return strings.Join(out, " ")
}

// sorted is bodies, by what they say: of standard queues the order says nothing.
func sorted(all []queue.Taken) string {
	words := strings.Fields(bodies(all))
	slices.Sort(words)
	return strings.Join(words, " ")
}

func receipts(all []queue.Taken) []string {
	var out []string
	for i := range all {
		out = append(out, all[i].Receipt)
	}
	return out
}

func (r *rig) want(what, got, want string) {
	r.Helper()
	if got != want {
		r.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// good asks that nothing was refused.
func (r *rig) good(what string, errs []error) {
	r.Helper()
	for i, err := range errs {
		if err != nil {
			r.Errorf("%s, number %d: %v", what, i, err)
		}
	}
}

// stats are a queue's counts: waiting, in flight, delayed, dead.
func (r *rig) stats(name string) string {
	r.Helper()
	s, err := r.q.Stats(r.ctx, ref(name))
	r.must(err)
	return fmt.Sprintf("%d %d %d %d", s.Waiting, s.InFlight, s.Delayed, s.Dead)
}

func (r *rig) client(opts ...kgo.Opt) *kgo.Client {
	r.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(r.s.KafkaAddr()), kgo.MetadataMinAge(10 * time.Millisecond), kgo.FetchMaxWait(100 * time.Millisecond)}, opts...)...)
	r.must(err)
	r.Cleanup(c.Close)
	return c
}

func (r *rig) admin() *kadm.Client { return kadm.NewClient(r.client()) }

// eventually waits until something holds.
func (r *rig) eventually(what string, holds func() bool) {
	r.Helper()
	for !holds() {
		select {
		case <-r.ctx.Done():
			r.Fatalf("never: %s", what)
		case <-time.After(time.Millisecond):
		}
	}
}
