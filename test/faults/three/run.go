//go:build linux

package three

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"ottla/test/history"
	"ottla/test/realfault"
)

// Options say how a run is wanted.
type Options struct {
	Binary string
	Dir    string
	Nodes  int
	For    time.Duration // how long faults are done
	Seed   uint64
	Only   []string // names of faults; all when empty
	Set    []string // more settings of the nodes
	Short  bool     // faults are shorter
	Say    func(format string, args ...any)
}

// Run makes a cluster, hurts it, and judges what its clients saw. The error is a
// promise that was broken, or what kept the run from its end.
func Run(ctx context.Context, o Options) error {
	s := &stage{o: o, r: rand.New(rand.NewPCG(o.Seed, 3)), counts: map[string]*count{}}
	err := s.raise(ctx)
	if err == nil {
		err = s.suffer(ctx)
	}
	if err == nil {
		err = s.finish(ctx)
	}
	err = errors.Join(err, s.close(context.WithoutCancel(ctx)))
	s.table()
	if err != nil {
		return err
	}
	return s.allDone()
}

// suffer does faults until the time is over.
func (s *stage) suffer(ctx context.Context) error {
	chosen, err := s.choose()
	if err != nil {
		return err
	}
	until := time.Now().Add(s.o.For)
	for s.rounds() == 0 || time.Now().Before(until) {
		s.r.Shuffle(len(chosen), func(i, j int) { chosen[i], chosen[j] = chosen[j], chosen[i] })
		for _, d := range chosen {
			if err := s.suffering(ctx, d); err != nil {
				return fmt.Errorf("%s: %w", d.name, err)
			}
			if done := s.rounds() > 0; done && time.Now().After(until) {
				break
			}
		}
	}
	return nil
}

// suffering does one fault and waits until its consequences are over.
func (s *stage) suffering(ctx context.Context, d deed) error {
	if err := realfault.Pause(ctx, s.between(200*time.Millisecond, 2*time.Second)); err != nil {
		return err
	}
	c := s.counts[d.name]
	watch := s.watchWrites()
	began := time.Now()
	err := d.do(ctx, s)
	var no *realfault.Impossible
	if errors.As(err, &no) {
		watch()
		c.impossible = no.Reason
		return nil
	}
	if err == nil {
		err = s.flowing(ctx)
	}
	gap := watch()
	if err == nil {
		err = s.whole(ctx)
	}
	if err != nil {
		return err
	}
	c.done++
	c.gaps = append(c.gaps, gap)
	s.o.Say("%-28s writes stood still for %-8v all in sync after %v", d.name, gap.Round(time.Millisecond), time.Since(began).Round(10*time.Millisecond))
	return nil
}

func (s *stage) between(least, most time.Duration) time.Duration {
	return least + time.Duration(s.r.Int64N(int64(most-least)))
}

// choose takes the faults that were asked for.
func (s *stage) choose() ([]deed, error) {
	var out []deed
	for _, d := range deeds {
		if d.nodes > s.o.Nodes || len(s.o.Only) > 0 && !slices.Contains(s.o.Only, d.name) {
			continue
		}
		out = append(out, d)
		s.counts[d.name] = &count{}
		s.order = append(s.order, d.name)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("there is no fault %s for %d nodes; there are %s", strings.Join(s.o.Only, ", "), s.o.Nodes, names())
	}
	return out, nil
}

// finish lets the load run out, reads everything and judges.
func (s *stage) finish(ctx context.Context) error {
	if err := s.flowing(ctx); err != nil {
		return err
	}
	crew := s.crew
	s.crew = nil // stopped from here on
	crew.Calm()
	err := crew.StopProducers()
	if err == nil {
		err = crew.Shared(ctx, wholeWithin)
	}
	if err := errors.Join(err, crew.Stop()); err != nil {
		return errors.Join(err, s.cluster.Up(), crew.History.Close())
	}
	err = crew.Final(ctx)
	if err := errors.Join(err, s.cluster.Up(), crew.History.Close()); err != nil {
		return err
	}
	s.committed = crew.Committed()
	s.made, s.deleted = crew.Topics()
	return s.judge()
}

func (s *stage) judge() error {
	ops, err := history.ReadFile(s.historyFile())
	if err != nil {
		return err
	}
	s.report = history.Check(ops, history.Options{Idempotent: true, ExactMarks: s.o.Nodes == 1})
	if !s.report.OK() {
		return fmt.Errorf("a promise is broken: %v", s.report)
	}
	return nil
}

// CheckBinary tells whether a binary runs clusters of several nodes.
func CheckBinary(ctx context.Context, binary string, nodes int) error {
	if nodes < 2 {
		return nil
	}
	out, err := runOut(ctx, binary, "serve", "--help")
	if err != nil {
		return fmt.Errorf("ask %s for its flags: %w", binary, err)
	}
	if !strings.Contains(out, "--join") {
		return &realfault.Impossible{Reason: "this build of ottla runs clusters of one node"}
	}
	return nil
}
