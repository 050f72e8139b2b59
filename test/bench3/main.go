//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"

	"ottla/test/beside"
	"ottla/test/oracle/apache"
	"ottla/test/realfault"
)

var (
	only     = flag.String("only", "", "measures, comma-separated; all when empty")
	pairs    = flag.Int("pairs", 3, "pairs a measure")
	gb       = flag.Float64("gb", 1, "GB of records that a produce run sends")
	seconds  = flag.Int("seconds", 8, "how long an end-to-end run counts, and the most that a produce run takes")
	ottlaAt  = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn   = flag.String("dir", "", "where all is kept; without it a temporary folder")
	keepBusy = flag.Bool("keep-busy", false, "keep pairs during which others took more than half a core")
	alone    = flag.String("run", "", "run this measure against Ottla alone")
	repeat   = flag.Int("repeat", 1, "with -run: how often")
)

func main() {
	flag.Parse()
	realfault.Main("bench3", run)
}

func run(ctx context.Context) error {
	names := *only
	if *alone != "" {
		names = *alone
	}
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	work, clean, err := realfault.WorkDir(*keepIn, "bench3")
	if err != nil {
		return err
	}
	if *alone != "" {
		err = runAlone(ctx, work, chosen)
	} else {
		err = runPairs(ctx, work, chosen)
	}
	if err != nil && !errors.Is(err, errShort) {
		return fmt.Errorf("%w\nwhat the nodes said is kept in %s", err, work)
	}
	return errors.Join(err, clean())
}

// errShort says that all was measured, and not all is as good as it shall be.
var errShort = errors.New("figures fall short of their goals")

// choose finds measures by their names.
func choose(names string) ([]measure, error) {
	if names == "" {
		return measures, nil
	}
	var out []measure
	for name := range strings.SplitSeq(names, ",") {
		i := indexOf(name)
		if i < 0 {
			return nil, fmt.Errorf("no measure is named %q; there are %s", name, strings.Join(allNames(), ", "))
		}
		out = append(out, measures[i])
	}
	return out, nil
}

// runAlone runs measures against Ottla, and prints what was seen and the processes'
// numbers for whoever looks at them meanwhile.
func runAlone(ctx context.Context, work string, chosen []measure) (err error) {
	s, err := startOttla(ctx, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop(context.WithoutCancel(ctx))) }()
	fmt.Printf("bench3: processes %v, profiles at %s\n", s.pids, strings.Join(s.http, ", "))
	for _, m := range chosen {
		for n := range *repeat {
			got, err := m.run(ctx, s, fmt.Sprintf("%s-%d", m.name, n))
			if err != nil {
				return err
			}
			fmt.Println(m.line(got))
		}
	}
	return nil
}

// runPairs measures both and judges.
func runPairs(ctx context.Context, work string, chosen []measure) (err error) {
	if err := apache.Available(); err != nil {
		return &realfault.Impossible{Reason: err.Error()}
	}
	kafka, err := startKafka(ctx, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, kafka.stop(context.WithoutCancel(ctx))) }()
	ottla, err := startOttla(ctx, work)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, ottla.stop(context.WithoutCancel(ctx))) }()
	for _, s := range []*side{kafka, ottla} {
		if err := warm(ctx, s); err != nil {
			return err
		}
	}
	if err := beside.Head(os.Stdout, "kafka", "ottla"); err != nil {
		return err
	}
	short := 0
	for _, m := range chosen {
		got, err := alternate(ctx, m, kafka, ottla)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		n, err := beside.Report(os.Stdout, m.name, m.figures, got)
		if err != nil {
			return err
		}
		short += n
		if m.disk {
			if err := reportDisk(work); err != nil {
				return err
			}
		}
	}
	if short > 0 {
		return fmt.Errorf("%d %w", short, errShort)
	}
	return nil
}
