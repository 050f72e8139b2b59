//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ottla/test/faults/three"
	"ottla/test/history"
	"ottla/test/realfault"
)

var (
	short   = flag.Bool("short", false, "fewer faults of each kind, for CI")
	only    = flag.String("only", "", "rows to run, by number, comma-separated")
	ottlaAt = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn  = flag.String("dir", "", "where all is kept; without it a temporary folder")
	check   = flag.String("check", "", "judge the history in this file and end")
	against = flag.String("against", "", "record clients of the cluster at this HOST:PORT without any fault, judge, and end")
	set     = flag.String("set", "", "more settings of the node, KEY=VALUE, comma-separated")
	atOnce  = flag.Int("at-once", 2, "rows that run at a time")
	nodes   = flag.Int("nodes", 0, "hurt a cluster of so many processes instead (package three)")
	lasts   = flag.Duration("for", 10*time.Minute, "with -nodes: how long faults are done (-short: each once)")
	seed    = flag.Uint64("seed", uint64(time.Now().UnixNano()), "with -nodes: of the order of faults and their moments")
)

func main() {
	flag.Parse()
	realfault.Main("faults", run)
}

func run(ctx context.Context) error {
	if *check != "" {
		return checkFile(*check)
	}
	if *against != "" {
		return watchOther(ctx, *against)
	}
	if *nodes > 0 {
		return runCluster(ctx)
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	work, clean, err := realfault.WorkDir(*keepIn, "faults")
	if err != nil {
		return err
	}
	path, err := realfault.Binary(ctx, *ottlaAt, work)
	if err != nil {
		return err
	}
	fmt.Printf("faults: %d rows, in %s\n", len(chosen), work)
	results := make([]result, len(chosen))
	var wg sync.WaitGroup
	free := make(chan struct{}, max(1, *atOnce))
	for i, r := range chosen {
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			results[i] = play(ctx, r, path, filepath.Join(work, "row-"+r.number))
			fmt.Println(results[i].line())
		})
	}
	wg.Wait()
	if bad := table(results); bad > 0 {
		return fmt.Errorf("%d of %d rows failed (their histories and logs are in %s)", bad, len(chosen), work)
	}
	return clean()
}

// runCluster hurts a cluster of several nodes.
func runCluster(ctx context.Context) error {
	work, clean, err := realfault.WorkDir(*keepIn, "faults")
	if err != nil {
		return err
	}
	path, err := realfault.Binary(ctx, *ottlaAt, work)
	if err != nil {
		return err
	}
	o := three.Options{Binary: path, Dir: work, Nodes: *nodes, For: *lasts, Seed: *seed,
		Say: func(format string, args ...any) { fmt.Printf(format+"\n", args...) }}
	if *short {
		o.For, o.Short = 0, true // each fault once
	}
	if *only != "" {
		o.Only = strings.Split(*only, ",")
	}
	if *set != "" {
		o.Set = strings.Split(*set, ",")
	}
	if err := three.CheckBinary(ctx, path, o.Nodes); err != nil {
		return err
	}
	long := fmt.Sprint("for ", o.For)
	if o.Short {
		long = "each fault once"
	}
	fmt.Printf("faults: %d nodes, %s, seed %d, in %s\n", o.Nodes, long, o.Seed, work)
	if err := three.Run(ctx, o); err != nil {
		return fmt.Errorf("%w\nhistory and logs are kept in %s; go run ./test/faults -nodes %d -seed %d tries again", err, work, o.Nodes, o.Seed)
	}
	return clean()
}

// play runs one row from nothing to its verdict.
func play(ctx context.Context, r row, path, dir string) result {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	began := time.Now()
	s := &scene{binary: path, dir: dir}
	if *set != "" {
		s.settings = strings.Split(*set, ",")
	}
	err := os.MkdirAll(dir, 0o755)
	if err == nil {
		err = r.run(ctx, s)
	}
	if cerr := s.close(context.WithoutCancel(ctx)); err == nil {
		err = cerr
	}
	out := result{row: r, hits: s.hits, note: strings.Join(s.notes, "; "), err: err, took: time.Since(began)}
	if out.verdict() != failed {
		_ = os.RemoveAll(dir) // what is left goes with the work folder
	}
	return out
}

func checkFile(name string) error {
	ops, err := history.ReadFile(name)
	if err != nil {
		return err
	}
	r := history.Check(ops, history.Options{Idempotent: true})
	fmt.Println(r)
	if !r.OK() {
		return errors.New("a promise is broken")
	}
	return nil
}

// watchOther records a run on somebody else's cluster: histories of a broker
// that is known to be right must be clean.
func watchOther(ctx context.Context, address string) error {
	work, clean, err := realfault.WorkDir(*keepIn, "faults")
	if err != nil {
		return err
	}
	for i := range times(20, 3) {
		s := &scene{dir: work, address: address}
		topic := fmt.Sprintf("watched-%d-%d", time.Now().UnixNano(), i)
		if err := s.loadTopic(ctx, topic); err != nil {
			return err
		}
		if err := realfault.Pause(ctx, 10*time.Second); err != nil {
			return err
		}
		if err := s.finish(ctx); err != nil {
			return fmt.Errorf("run %d: %w (kept in %s)", i+1, err, work)
		}
		fmt.Printf("faults: run %d on %s: %s\n", i+1, address, strings.Join(s.notes, "; "))
	}
	return clean()
}
