package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/uuid"
	"ottla/test/realfault"
	"ottla/test/rig/mortal"
)

var (
	kills  = flag.Int("kills", 100, "how often a node is killed")
	nodes  = flag.Int("nodes", 1, "nodes of the cluster: 1 or 3")
	seed   = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of the kills, and of what senders and takers do")
	rate   = flag.Int("rate", 150, "messages a second, into each queue")
	moves  = flag.Bool("moves", true, "move dead letters back")
	binary = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn = flag.String("dir", "", "where all is kept; without it a temporary folder")
)

func main() {
	flag.Parse()
	realfault.Main("queues", run)
}

func run(ctx context.Context) error {
	dir, clean, err := realfault.WorkDir(*keepIn, "queues")
	if err != nil {
		return err
	}
	fmt.Printf("queues: %d kills of %d nodes, seed %d, in %s\n", *kills, *nodes, *seed, dir)
	if err := play(ctx, dir); err != nil {
		return fmt.Errorf("seed %d: %w (all is kept in %s)", *seed, err, dir)
	}
	return clean()
}

// scene is the nodes with all who work at their queues.
type scene struct {
	nodes  mortal.Cluster
	d      native // of who looks on
	topics map[string]uuid.UUID
	all    []*ledger
	calm   atomic.Bool // no more faults

	working sync.WaitGroup
	once    sync.Once
	failed  error // of the first who gave up; read when all have ended
	cancel  context.CancelFunc
	drawn   uint64
}

// play runs it from the first start to the verdict.
func play(ctx context.Context, dir string) (err error) {
	c, err := mortal.Open(ctx, mortal.Options{Nodes: *nodes, Binary: *binary, Dir: dir, Set: settings})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close(context.WithoutCancel(ctx))) }()
	s := &scene{nodes: c}
	s.d = native{newCaller(c.HTTPAddrs(), s.rand())}
	cl, err := clientOf(c.Addrs())
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := build(ctx, s.d, cl); err != nil {
		return err
	}
	if s.topics, err = topicIDs(ctx, cl); err != nil {
		return err
	}
	began := time.Now()
	err = s.live(ctx)
	fmt.Printf("queues: all is at rest after %v\n", time.Since(began).Round(time.Second))
	for _, l := range s.all {
		err = errors.Join(err, s.judge(ctx, l, err == nil))
	}
	return err
}

// judge prints what a queue came to and gives what is wrong with it. Whether all is
// there can be told when all came to rest.
func (s *scene) judge(ctx context.Context, l *ledger, rests bool) error {
	for _, what := range slices.Sorted(maps.Keys(l.count)) {
		fmt.Printf("  %s: %s %d\n", l.queue, what, l.count[what])
	}
	if !rests {
		return l.errs()
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	queue, err := readLog(ctx, s.nodes.Addrs(), l.queue, s.topics[l.queue])
	if err != nil {
		return err
	}
	letters, err := readLog(ctx, s.nodes.Addrs(), deadOf(l.queue), s.topics[deadOf(l.queue)])
	if err != nil {
		return err
	}
	t, err := l.verdict(queue, letters)
	fmt.Printf("queues: %s: %v\n", l.queue, t)
	return errors.Join(err, missing(l, t))
}

// missing tells what a run should have seen and has not.
func missing(l *ledger, t tally) error {
	var never []string
	for _, what := range []string{
		"sent by Kafka", "sent by SQS", "sent by native", "taken by SQS", "taken by native", "taken by members", "taken again", "a member died",
		"accepted", "returned", "deferred", "extended", "rejected", "forgot", "dawdled", "acknowledged",
	} {
		if l.seen(what) == 0 {
			never = append(never, what)
		}
	}
	if t.letters == 0 {
		never = append(never, "a dead letter")
	}
	if *moves && t.moved == 0 {
		never = append(never, "a dead letter that was moved back")
	}
	for _, what := range []string{"a move began", "a move of chosen letters began", "a letter was mended"} {
		if *moves && l.seen(what) == 0 {
			never = append(never, what)
		}
	}
	if len(never) == 0 {
		return nil
	}
	return fmt.Errorf("%s: it was never seen: %s; run it longer", l.queue, strings.Join(never, ", "))
}

// rand is one more source of chance.
func (s *scene) rand() *rand.Rand {
	s.drawn++
	return rand.New(rand.NewPCG(*seed, s.drawn))
}

// work has somebody work; who fails ends the run.
func (s *scene) work(what func() error) {
	s.working.Go(func() {
		if err := what(); err != nil {
			s.once.Do(func() { s.failed = err })
			s.cancel()
		}
	})
}

// live has all work while nodes are killed, and then come to rest.
func (s *scene) live(ctx context.Context) error {
	ctx, s.cancel = context.WithCancel(ctx)
	defer s.cancel()
	sending, stop := context.WithCancel(ctx)
	defer stop()
	var senders sync.WaitGroup
	p, err := newProducer(s.nodes.Addrs(), s.topics)
	if err != nil {
		return err
	}
	defer p.cl.Close()
	for _, k := range kinds {
		l := newLedger(k.name, k.fifo, k.maxReceives)
		s.all = append(s.all, l)
		s.takers(ctx, l)
		s.senders(ctx, sending, l, p, &senders)
	}
	err = s.kill(ctx)
	stop()
	senders.Wait()
	s.calm.Store(true)
	for _, l := range s.all {
		if err == nil {
			err = s.rest(ctx, l)
		}
	}
	s.cancel()
	ended := make(chan struct{})
	go func() { s.working.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(time.Minute):
		_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1) // to say who hangs
		return errors.Join(err, errors.New("who works does not end"))
	}
	return errors.Join(s.failed, err)
}

// kill kills nodes.
func (s *scene) kill(ctx context.Context) error {
	rng := s.rand()
	for range *kills {
		// Mostly soon, so that what is on its way is hit, too.
		if err := realfault.Pause(ctx, time.Duration(rng.Int64N(int64(20*time.Millisecond)<<rng.IntN(8)))); err != nil {
			return err
		}
		if err := s.nodes.Kill(ctx, rng); err != nil {
			return err
		}
	}
	return nil
}

// eachDoor is how many takers each door has at a queue.
const eachDoor = 2

// takers has takers take from a queue and its dead letters until ctx ends.
func (s *scene) takers(ctx context.Context, l *ledger) {
	one := func(sqsDoor bool, queue string, at place) {
		r := s.rand()
		t := &taker{l: l, queue: queue, at: at, r: r, calm: &s.calm}
		c := newCaller(s.nodes.HTTPAddrs(), r)
		t.d, t.called = native{c}, "native"
		if sqsDoor {
			t.d, t.called = sqs{c}, "SQS"
		}
		s.work(func() error { return t.run(ctx) })
	}
	for range eachDoor {
		one(false, l.queue, alive)
		one(true, l.queue, alive)
		m := &member{l: l, addrs: s.nodes.Addrs(), topic: s.topics[l.queue], r: s.rand(), calm: &s.calm}
		s.work(func() error { return m.run(ctx) })
	}
	one(false, deadOf(l.queue), dead)
	one(true, deadOf(l.queue), dead)
	if !*moves {
		return
	}
	r := s.rand()
	v := &redriver{l: l, d: native{newCaller(s.nodes.HTTPAddrs(), r)}, r: r, calm: &s.calm}
	s.work(func() error { return v.run(ctx) })
}

// groupsEach is how many message groups each sender has at a FIFO queue.
const groupsEach = 8

// senders has senders send to a queue until sending ends.
func (s *scene) senders(ctx, sending context.Context, l *ledger, p *producer, end *sync.WaitGroup) {
	for _, called := range []string{"Kafka", "SQS", "native"} {
		r := s.rand()
		d := &sender{l: l, called: called, rate: max(1, *rate/3), r: r, keys: keysOf(called+"-", groupsEach)}
		c := newCaller(s.nodes.HTTPAddrs(), r)
		switch called {
		case "Kafka":
			d.d = p
		case "SQS":
			d.d = sqs{c}
		default:
			d.d = native{c}
		}
		if !l.fifo && called != "Kafka" {
			d.delays = someDelays
		}
		end.Add(1)
		s.work(func() error {
			defer end.Done()
			return d.run(ctx, sending)
		})
	}
}
