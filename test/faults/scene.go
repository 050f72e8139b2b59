//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ottla/test/history"
	"ottla/test/history/client"
	"ottla/test/realfault"
)

// backWithin ends the wait for writes to be taken once a fault is over: on an
// idle machine they are after a second or two, and a busy one has time.
const backWithin = time.Minute

// stopWithin bounds a clean stop, answerWithin a connection and an answer, on a
// machine that does much else.
const (
	stopWithin   = time.Minute
	answerWithin = time.Minute
)

// scene is one row being played: a node, its load, and what is counted.
type scene struct {
	binary, dir string

	data     string // of the node; below dir unless set before open
	settings []string
	wrap     []string
	size     int // bytes of a record, which is not compressed then; 100 unless set
	rate     int // records a second; 1500 unless set
	topic    map[string]*string
	silent   bool // members of groups end without leaving them

	address string // of the Kafka port
	setup   realfault.Setup
	node    *realfault.Node
	crew    *client.Crew
	log     *os.File
	image   *realfault.Image
	after   []func() error // undone at the end, last first

	hits  int
	notes []string
}

// times is how often a fault is made.
func times(long, brief int) int {
	if *short {
		return brief
	}
	return long
}

func (s *scene) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// open starts the node and its load.
func (s *scene) open(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if err := s.start(ctx); err != nil {
		return err
	}
	return s.load(ctx)
}

func (s *scene) prepare(ctx context.Context) (err error) {
	if s.data == "" {
		s.data = filepath.Join(s.dir, "data")
	}
	if s.log, err = os.Create(filepath.Join(s.dir, "node.log")); err != nil {
		return err
	}
	s.setup, err = realfault.NewSetup(ctx, s.binary, s.dir, s.data, s.log)
	s.setup.Set = append(s.settings, "group.initial.rebalance.delay.ms=0")
	s.setup.Wrap = s.wrap
	s.address = s.setup.Address()
	return err
}

// start starts the node, again and again on the same data.
func (s *scene) start(ctx context.Context) (err error) {
	s.node, err = s.setup.Start(context.WithoutCancel(ctx)) // it ends by close, not by ctx
	return err
}

// load begins the clients and waits for the first records.
func (s *scene) load(ctx context.Context) error { return s.loadTopic(ctx, "load") }

func (s *scene) loadTopic(ctx context.Context, topic string) error {
	w, err := history.Create(s.historyFile())
	if err != nil {
		return err
	}
	s.crew = &client.Crew{
		Cluster:   &client.Cluster{Address: s.address, Topic: topic, Partitions: 6, History: w, Plain: s.size > 0},
		Producers: 3, Rate: s.rate, Size: s.size, Readers: 2, Members: 3, Lifetime: 4 * time.Second, Silent: s.silent,
	}
	if s.size == 0 {
		s.crew.Size = 100
	}
	if s.rate == 0 {
		s.crew.Rate = 1500
	}
	if err := s.crew.Prepare(ctx, s.topic); err != nil {
		return err
	}
	s.crew.Start(context.WithoutCancel(ctx)) // until finish, whatever ctx does
	return s.flowing(ctx)
}

func (s *scene) historyFile() string { return filepath.Join(s.dir, "history.jsonl") }

// ebbed waits until nothing has been acknowledged for a second: answers that
// were on their way when a fault began come late on a busy machine. Whether what
// they promised is there the judge says at the end. An error where it goes on.
func (s *scene) ebbed(ctx context.Context) error {
	last, since := s.crew.Acked(), time.Now()
	for began := since; time.Since(since) < time.Second; {
		if err := realfault.Pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
		if now := s.crew.Acked(); now != last {
			last, since = now, time.Now()
		}
		if time.Since(began) > backWithin {
			return fmt.Errorf("records are acknowledged %v after the fault began", backWithin)
		}
	}
	return nil
}

// flowing waits until records are acknowledged again, at most backWithin.
func (s *scene) flowing(ctx context.Context) error {
	before, began := s.crew.Acked(), time.Now()
	for s.crew.Acked() == before {
		if err := s.up(); err != nil {
			return err
		}
		if time.Since(began) > backWithin {
			return fmt.Errorf("no write is taken %v after the fault was over", backWithin)
		}
		if err := realfault.Pause(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// up fails when the node has ended by itself.
func (s *scene) up() error {
	if s.node == nil {
		return nil // somebody else's
	}
	if why, ended := s.node.Exited(); ended {
		return fmt.Errorf("the node ended by itself: %w", why)
	}
	return nil
}

// finish lets the load run out, reads everything, stops the node and judges.
func (s *scene) finish(ctx context.Context) error {
	if err := s.flowing(ctx); err != nil {
		return err
	}
	if err := realfault.Pause(ctx, 500*time.Millisecond); err != nil {
		return err
	}
	crew := s.crew
	s.crew = nil // stopped from here on
	if err := crew.Stop(); err != nil {
		return errors.Join(err, s.up(), crew.History.Close())
	}
	if err := crew.Final(ctx); err != nil {
		return errors.Join(err, s.up(), crew.History.Close())
	}
	if err := errors.Join(s.up(), crew.History.Close()); err != nil {
		return err
	}
	if s.node != nil {
		if err := s.node.Stop(stopWithin); err != nil {
			return err
		}
	}
	return s.judge()
}

func (s *scene) judge() error {
	ops, err := history.ReadFile(s.historyFile())
	if err != nil {
		return err
	}
	r := history.Check(ops, history.Options{Idempotent: true, ExactMarks: s.node != nil})
	if !r.OK() {
		return fmt.Errorf("a promise is broken: %v", r)
	}
	s.note("%d acknowledged, %d polled", r.Acked, r.Polled)
	return nil
}

// close ends whatever is left.
func (s *scene) close(ctx context.Context) error {
	var errs []error
	if s.node != nil {
		s.node.Kill()
	}
	if s.crew != nil { // after a failure
		go func(c *client.Crew) { _ = c.Stop() }(s.crew) // its producers would wait for a node that is gone
	}
	for i := len(s.after) - 1; i >= 0; i-- {
		errs = append(errs, s.after[i]())
	}
	if s.image != nil {
		errs = append(errs, s.image.Unmount(ctx))
	}
	if s.log != nil {
		errs = append(errs, s.log.Close())
	}
	return errors.Join(errs...)
}

// onImage puts the data on a disk of its own.
func (s *scene) onImage(ctx context.Context, mib int) (err error) {
	s.image, err = realfault.NewImage(ctx, s.dir, mib)
	if err != nil {
		return err
	}
	s.data = filepath.Join(s.image.Dir, "data")
	return nil
}
