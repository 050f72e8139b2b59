//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"ottla/test/beside"
	"ottla/test/realfault"
)

var (
	only     = flag.String("only", "", "measures, comma-separated; all when empty")
	pairs    = flag.Int("pairs", 3, "pairs a measure")
	seconds  = flag.Int("seconds", 8, "how long a run takes")
	conns    = flag.Int("conns", 16, "connections that send, receive and delete")
	polls    = flag.Int("polls", 10_000, "receives that wait at once")
	groupsOf = flag.Int("groups", 100_000, "message groups beside ten")
	ottlaAt  = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn   = flag.String("dir", "", "where all is kept; without it a temporary folder")
	keepBusy = flag.Bool("keep-busy", false, "keep pairs during which others took more than half a core")
	alone    = flag.String("run", "", "run this measure against Ottla alone")
	repeat   = flag.Int("repeat", 1, "with -run: how often")
	idleAt   = flag.String("idle", "", "be the server that does nothing, at this address")
)

func main() {
	flag.Parse()
	realfault.Main("benchsqs", run)
}

func run(ctx context.Context) error {
	if *idleAt != "" {
		return serveIdle(ctx, *idleAt)
	}
	names := *only
	if *alone != "" {
		names = *alone
	}
	chosen, err := choose(names)
	if err != nil {
		return err
	}
	work, clean, err := realfault.WorkDir(*keepIn, "benchsqs")
	if err != nil {
		return err
	}
	b := &bench{work: work, length: time.Duration(*seconds) * time.Second}
	if *alone != "" {
		err = b.runAlone(ctx, chosen)
	} else {
		err = b.runPairs(ctx, chosen)
	}
	err = errors.Join(err, b.close())
	if err != nil && !errors.Is(err, errShort) {
		return fmt.Errorf("%w\nwhat the servers said is kept in %s", err, work)
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
		found := false
		for _, m := range measures {
			if m.name == name {
				out, found = append(out, m), true
			}
		}
		if !found {
			var all []string
			for _, m := range measures {
				all = append(all, m.name)
			}
			return nil, fmt.Errorf("no measure is named %q; there are %s", name, strings.Join(all, ", "))
		}
	}
	return out, nil
}

// runAlone runs measures against Ottla, and prints what was seen and where its
// profiles are for whoever looks at them meanwhile.
func (b *bench) runAlone(ctx context.Context, chosen []measure) error {
	s, err := b.ottla(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("benchsqs: process %d, profiles at http://%s/debug/pprof/\n", s.pid, s.addr)
	for _, m := range chosen {
		for n := range *repeat {
			got, err := m.ours(ctx, b, n)
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			fmt.Printf("%-12s", m.name)
			for _, f := range m.figures {
				fmt.Printf("  %s %.3f", f.Name, got.Seen[f.Name])
			}
			fmt.Printf("  (others %.2f cores)\n", got.Others)
		}
	}
	return nil
}

// runPairs measures both sides and judges.
func (b *bench) runPairs(ctx context.Context, chosen []measure) error {
	short, other := 0, ""
	for _, m := range chosen {
		if m.prepare != nil {
			if err := m.prepare(ctx, b); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
		got, err := beside.Alternate(*pairs, *keepBusy,
			func(n int) (beside.Outcome, error) { return m.other(ctx, b, n) },
			func(n int) (beside.Outcome, error) { return m.ours(ctx, b, n) })
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if m.beside != other {
			other = m.beside
			if err := beside.Head(os.Stdout, other, m.us); err != nil {
				return err
			}
		}
		n, err := beside.Report(os.Stdout, m.name, m.figures, got)
		if err != nil {
			return err
		}
		short += n
	}
	if short > 0 {
		return fmt.Errorf("%d %w", short, errShort)
	}
	return nil
}
