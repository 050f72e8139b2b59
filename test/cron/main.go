package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"text/tabwriter"
	"time"
)

// zones move their clocks in spring and autumn, in the other hemisphere, by half
// an hour, at midnight, and not at all.
var zones = []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Kathmandu"}

const (
	firstYear = 2020
	years     = 10
	day       = 24 * 3600
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cron:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("cron", flag.ExitOnError)
	seed := flags.Uint64("seed", 1, "what is drawn")
	n := flags.Int("n", 60, "expressions in each zone")
	short := flags.Bool("short", false, "a sixth of it")
	show := flags.Int("show", 10, "how many wrong runs of a zone are shown")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *short {
		*n = max(*n/6, 1)
	}
	work, err := os.MkdirTemp("", "ottla-cron-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	croniter, cronParser, err := startOthers(ctx, work)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "zone\texpressions\tour runs\tequal to both\tthey differ: as croniter\tas cron-parser\trefused by one\tskipped by ours\twrong")
	var wrong []string
	for i, zone := range zones {
		t, err := compare(zone, rand.New(rand.NewPCG(*seed, uint64(i))), *n, croniter, cronParser)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", zone, t.expressions, t.runs, t.agreed, t.asCroniter, t.asCronParser, t.refused, t.skipped, len(t.wrong))
		wrong = append(wrong, t.wrong[:min(len(t.wrong), *show)]...)
		if err := w.Flush(); err != nil { // a zone takes minutes
			return err
		}
	}
	if err := errors.Join(croniter.end(), cronParser.end()); err != nil {
		return err
	}
	for _, line := range wrong {
		fmt.Println("WRONG", line)
	}
	if len(wrong) > 0 {
		return errors.New("ours differs where the others agree")
	}
	return nil
}

// compare draws expressions and compares their runs in a zone.
func compare(zone string, rng *rand.Rand, n int, croniter, cronParser *other) (*tally, error) {
	t := &tally{}
	for range n {
		d := draw(rng)
		t.expressions++
		for _, span := range spans(d, zone) {
			q := question{d.croniter, d.cronParser, zone, span[0], span[1], mostRuns}
			ours, err := ourRuns(d.ours, zone, span[0], span[1])
			if err != nil {
				return nil, err
			}
			var a, b reply
			var errA, errB error
			var both sync.WaitGroup
			both.Go(func() { a, errA = croniter.ask(q) })
			both.Go(func() { b, errB = cronParser.ask(q) })
			both.Wait()
			if err := errors.Join(errA, errB); err != nil {
				return nil, err
			}
			t.judge(d, zone, ours, a, b)
		}
	}
	return t, nil
}

// spans are what is compared of an expression: all ten years, or where it has many
// runs the days around each move of the clocks.
func spans(d drawn, zone string) [][2]int64 {
	from := time.Date(firstYear, 1, 1, 0, 0, 0, 0, time.UTC)
	until := from.AddDate(years, 0, 0)
	if !d.dense {
		return [][2]int64{{from.Unix(), until.Unix()}}
	}
	z, err := time.LoadLocation(zone)
	if err != nil {
		return nil // ourRuns tells
	}
	out := [][2]int64{{from.Unix(), from.Unix() + 2*day}}
	for at := from; at.Before(until); {
		_, end := at.In(z).ZoneBounds()
		if end.IsZero() {
			break
		}
		out = append(out, [2]int64{end.Unix() - day, end.Unix() + day})
		at = end
	}
	return out
}
