//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/realfault"
)

const (
	// calm is how long the load goes on after a fault at least: what it has cost
	// shows within that.
	calm = time.Second
	// fresh is how long ago a success may be for whoever goes on.
	fresh = 250 * time.Millisecond
)

// load is all that goes on while nodes are hurt.
type load struct {
	direct  *kgo.Client
	clients []*kgo.Client
	topicID [16]byte

	writes  map[string]pulses // by writer, then by partition
	changes map[string]*pulse
	groups  map[int]map[string]pulses // by the coordinating node, then by kind

	cancel  context.CancelFunc
	running sync.WaitGroup
}

// stop ends it and waits. An idempotent client waits without end for a record
// whose answer it has not got, whatever its context says; closed, it gives up.
func (l *load) stop() {
	if l == nil || l.cancel == nil {
		return
	}
	l.cancel()
	for _, c := range l.clients {
		l.running.Go(c.Close)
	}
	l.running.Wait()
	l.cancel = nil
}

// all are the pulses that must beat in a cluster that is well.
func (l *load) all() (out pulses) {
	for _, ps := range l.writes {
		out = append(out, ps...)
	}
	for _, p := range l.changes {
		out = append(out, p)
	}
	for _, kinds := range l.groups {
		for _, ps := range kinds {
			out = append(out, ps...)
		}
	}
	return out
}

// loadClient makes a client that is closed with the load.
func (s *stage) loadClient(opts ...kgo.Opt) (*kgo.Client, error) {
	c, err := s.client(opts...)
	if err == nil {
		s.load.clients = append(s.load.clients, c)
	}
	return c, err
}

// begin starts the load.
func (s *stage) begin(ctx context.Context) error {
	l := &load{writes: map[string]pulses{}, changes: map[string]*pulse{"alter": {}, "create": {}}, groups: map[int]map[string]pulses{}}
	s.load = l
	running, cancel := context.WithCancel(context.WithoutCancel(ctx))
	l.cancel = cancel
	var err error
	if l.topicID, err = s.makeTopic(ctx, topic); err != nil {
		return err
	}
	if l.direct, err = s.loadClient(impatient...); err != nil {
		return err
	}
	l.writes["direct"] = newPulses(nodes)
	for partition, p := range l.writes["direct"] {
		for node := 1; node <= nodes; node++ {
			l.running.Go(func() { l.writeDirect(running, node, partition, p) })
		}
	}
	for name, opts := range map[string][]kgo.Opt{"client": impatient, "default": nil} {
		c, err := s.loadClient(append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(0)}, opts...)...)
		if err != nil {
			return err
		}
		l.writes[name] = newPulses(nodes)
		for partition, p := range l.writes[name] {
			l.running.Go(func() { l.writeClient(running, c, partition, p) })
		}
	}
	l.running.Go(func() { l.alter(running, l.changes["alter"]) })
	l.running.Go(func() { l.create(running, l.changes["create"]) })
	return s.beginGroups(ctx, running)
}

// beginGroups starts, for each node, a group of each kind that it coordinates.
func (s *stage) beginGroups(ctx, running context.Context) error {
	for node := 1; node <= nodes; node++ {
		s.load.groups[node] = map[string]pulses{}
		for _, kind := range groupKinds {
			name, err := s.coordinatedBy(ctx, fmt.Sprintf("%s-%d", kind.name, node), node)
			if err != nil {
				return err
			}
			ps := newPulses(nodes)
			s.load.groups[node][kind.name] = ps
			c, err := s.client(append([]kgo.Opt{kgo.ConsumerGroup(name), kgo.ConsumeTopics(topic), kgo.DisableAutoCommit(),
				kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd())}, kind.opts...)...)
			if err != nil {
				return err
			}
			s.load.running.Go(func() { s.load.consume(running, c, ps) })
		}
	}
	return nil
}

// underLoad does the parts that need a load.
func (s *stage) underLoad(ctx context.Context, chosen []string) error {
	if err := s.begin(ctx); err != nil {
		return err
	}
	for _, part := range []struct {
		name   string
		trials int
		do     func(ctx context.Context, trial int) error
	}{{"kill", 2 * *trials, s.killed}, {"patient", (*trials + 1) / 2, s.patience}, {"stop", *trials, s.stopped}, {"freeze", (*trials + 1) / 2, s.frozen}, {"cut", *trials, s.cutOff}} {
		if !slices.Contains(chosen, part.name) {
			continue
		}
		for trial := range part.trials {
			err := s.ready(ctx)
			if err == nil {
				err = part.do(ctx, trial)
			}
			if err != nil {
				return fmt.Errorf("%s, trial %d: %w", part.name, trial+1, err)
			}
		}
	}
	s.load.stop()
	return nil
}

// ready waits until all is as a trial needs it.
func (s *stage) ready(ctx context.Context) error {
	if err := s.whole(ctx); err != nil {
		return err
	}
	if err := s.home(ctx); err != nil {
		return err
	}
	if err := s.flowing(ctx, time.Now()); err != nil {
		return err
	}
	for _, p := range s.load.all() {
		p.forget()
	}
	return s.flowing(ctx, time.Now())
}

// flowing waits until everybody succeeds again, calm after a moment at least.
func (s *stage) flowing(ctx context.Context, since time.Time) error {
	all := s.load.all()
	return s.until(ctx, wholeWithin, func(context.Context) (string, error) {
		now := time.Now()
		if now.Sub(since) < calm || !all.after(now.Add(-fresh)) {
			return s.load.silent(now.Add(-fresh)), nil
		}
		return "", nil
	})
}

// silent says who has not succeeded since.
func (l *load) silent(since time.Time) string {
	for name, ps := range l.writes {
		if !ps.after(since) {
			return "no write by the writer: " + name
		}
	}
	for name, p := range l.changes {
		if !p.after(since) {
			return "no change of metadata: " + name
		}
	}
	for node, kinds := range l.groups {
		for name, ps := range kinds {
			if !ps.after(since) {
				return fmt.Sprintf("the %s group of node %d does not consume", name, node)
			}
		}
	}
	return "it is not over"
}

// victim is the node of a trial, which leads the metadata or does not.
func (s *stage) victim(ctx context.Context, trial int, leads bool) (int, error) {
	leader, err := s.controller(ctx)
	if err != nil || leads {
		return leader, err
	}
	return (leader+trial/2%2)%nodes + 1, nil
}

// killed is a trial with SIGKILL.
func (s *stage) killed(ctx context.Context, trial int) error {
	both := trial%2 == 1
	victim, err := s.victim(ctx, trial, both)
	if err != nil {
		return err
	}
	began := time.Now()
	s.cluster.Kill(victim)
	if err := s.flowing(ctx, began); err != nil {
		return err
	}
	over := time.Now()
	l, f := s.load, s.figures
	name := "kill "
	if both {
		name = "kill both "
		for what, p := range l.changes {
			f.time("kill "+what, p.gap(began, over))
		}
	} else {
		f.time("kill follower", l.writes["direct"][partitionOf(victim%nodes+1)].gap(began, over))
	}
	for _, who := range []string{"direct", "client"} {
		f.time(name+who, l.writes[who][partitionOf(victim)].gap(began, over))
	}
	for _, kind := range []string{"classic", "consumer"} {
		f.time("kill "+kind, l.groups[victim][kind].gap(began, over))
	}
	say("kill -9 of node %d (controller: %v): %s", victim, both, s.gaps(victim, began, over))
	return s.cluster.Start(ctx, victim)
}

// leastAge is for how long franz-go with its defaults does not ask for metadata
// again.
const leastAge = 5 * time.Second

// patience is a trial with SIGKILL for clients with default settings: as in the
// life of an application, they have not asked for metadata just before.
func (s *stage) patience(ctx context.Context, trial int) error {
	victim, err := s.victim(ctx, trial, trial%2 == 1)
	if err != nil {
		return err
	}
	if err := realfault.Pause(ctx, leastAge+calm); err != nil {
		return err
	}
	began := time.Now()
	s.cluster.Kill(victim)
	if err := s.flowing(ctx, began); err != nil {
		return err
	}
	over := time.Now()
	s.figures.time("patient default", s.load.writes["default"][partitionOf(victim)].gap(began, over))
	s.figures.time("patient classic", s.load.groups[victim]["classic default"].gap(began, over))
	say("kill -9 of node %d, clients at rest: %s", victim, s.gaps(victim, began, over))
	return s.cluster.Start(ctx, victim)
}

// gaps tells all that a fault cost.
func (s *stage) gaps(victim int, began, over time.Time) string {
	out := ""
	for _, who := range []string{"direct", "client", "default"} {
		out += fmt.Sprintf("%s %v, ", who, s.load.writes[who][partitionOf(victim)].gap(began, over).Round(time.Millisecond))
	}
	for _, what := range []string{"alter", "create"} {
		out += fmt.Sprintf("%s %v, ", what, s.load.changes[what].gap(began, over).Round(time.Millisecond))
	}
	for _, kind := range groupKinds {
		out += fmt.Sprintf("%s %v, ", kind.name, s.load.groups[victim][kind.name].gap(began, over).Round(time.Millisecond))
	}
	return out
}

// stopped is a trial with SIGINT, one node after the other.
func (s *stage) stopped(ctx context.Context, trial int) error {
	victim := trial%nodes + 1
	leader, err := s.controller(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.cluster.Stop(victim); err != nil {
		return err
	}
	down := time.Now()
	if err := s.cluster.Start(ctx, victim); err != nil {
		return err
	}
	up := time.Now()
	if err := s.whole(ctx); err != nil {
		return err
	}
	whole := time.Now()
	if err := s.flowing(ctx, down); err != nil {
		return err
	}
	over := time.Now()
	l, f := s.load, s.figures
	partition := partitionOf(victim)
	for who, ps := range l.writes {
		f.time("stop "+who, ps[partition].gap(began, up))
	}
	f.time("roll client", l.writes["client"].gap(began, over))
	f.time("roll whole", whole.Sub(began))
	if leader == victim {
		f.time("stop alter", l.changes["alter"].gap(began, over))
	}
	say("stop of node %d (controller: %v) in %v, whole after %v: %s", victim, leader == victim,
		down.Sub(began).Round(time.Millisecond), whole.Sub(began).Round(time.Millisecond), s.gaps(victim, began, over))
	return nil
}

// frozen is a trial with SIGSTOP.
func (s *stage) frozen(ctx context.Context, trial int) error {
	both := trial%2 == 1
	victim, err := s.victim(ctx, trial, both)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := s.cluster.Pause(victim); err != nil {
		return err
	}
	p := s.load.writes["direct"][partitionOf(victim)]
	err = s.until(ctx, wholeWithin, func(context.Context) (string, error) {
		if now := time.Now(); now.Sub(began) < calm || !p.after(now.Add(-fresh)) {
			return "no write is taken", nil
		}
		return "", nil
	})
	over := time.Now()
	if cerr := s.cluster.Continue(victim); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	name := "freeze direct"
	if both {
		name = "freeze both"
	}
	s.figures.time(name, p.gap(began, over))
	say("SIGSTOP of node %d (controller: %v): direct %v", victim, both, p.gap(began, over).Round(time.Millisecond))
	return realfault.Pause(ctx, calm)
}
