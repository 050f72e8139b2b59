package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pattern:", err)
		os.Exit(1)
	}
}

const (
	patternsInBatch  = 64
	eventsPerPattern = 8
)

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("pattern", flag.ExitOnError)
	seed := flags.Uint64("seed", 1, "what is drawn")
	n := flags.Int("n", 1_000_000, "pairs of a pattern and an event")
	show := flags.Int("show", 10, "how many differences are shown")
	measure := flags.Bool("bench", false, "measure, and compare nothing")
	var only string
	flags.StringVar(&only, "only", "", "the loads to measure, by name, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *measure {
		return bench(ctx, only)
	}
	r, err := startRuler(ctx)
	if err != nil {
		return err
	}
	t := newTally(*show)
	rng := rand.New(rand.NewPCG(*seed, 1))
	for t.pairs < *n {
		batch := make([]drawn, patternsInBatch)
		for i := range batch {
			batch[i] = draw(rng, eventsPerPattern)
		}
		theirs, err := r.ask(batch)
		if err != nil {
			return err
		}
		if err := t.judge(batch, theirs); err != nil {
			return err
		}
		if err := t.settle(r); err != nil {
			return err
		}
	}
	if err := r.end(); err != nil {
		return err
	}
	t.tell(os.Stdout)
	if t.wrong > 0 {
		return errors.New("there are differences that nothing explains")
	}
	return t.enough()
}
