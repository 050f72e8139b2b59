package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"

	"ottla/test/simulation/cluster"
)

// flags are what the command line says.
type flags struct {
	seeds   int
	from    uint64
	length  time.Duration
	workers int
	one     int64
	trace   bool
	child   bool
	hits    bool
}

func main() {
	var f flags
	flag.IntVar(&f.seeds, "seeds", 400, "how many seeds to run")
	flag.Uint64Var(&f.from, "from", 1, "the first seed")
	flag.DurationVar(&f.length, "for", 0, "run seeds for so long instead of so many")
	flag.IntVar(&f.workers, "workers", runtime.GOMAXPROCS(0), "how many processes")
	flag.Int64Var(&f.one, "seed", -1, "run this seed alone")
	flag.BoolVar(&f.trace, "trace", false, "with -seed: print all that happens")
	flag.BoolVar(&f.hits, "hits", false, "print how often everything was hit")
	flag.BoolVar(&f.child, "child", false, "run seeds that come on standard input (for the program itself)")
	flag.Parse()
	if err := run(f); err != nil {
		fmt.Fprintln(os.Stderr, "simulation:", err)
		os.Exit(1)
	}
}

func run(f flags) error {
	switch {
	case f.child:
		return serve(os.Stdin, os.Stdout)
	case f.one >= 0:
		return alone(uint64(f.one), f.trace, f.hits)
	}
	return parent(f)
}

// errFailed tells that what was printed is not well.
var errFailed = errors.New("not all is well")

// alone runs one seed.
func alone(seed uint64, trace, hits bool) error {
	var say func(string)
	if trace {
		say = func(line string) { fmt.Println(line) }
	}
	r := cluster.Simulate(seed, say)
	if hits {
		printHits(r.Hits)
	}
	fmt.Printf("seed %d: hash %016x, %d events, %v simulated\n", r.Seed, r.Hash, r.Steps, r.Time.Round(time.Millisecond))
	if r.Failure != "" {
		printFailure(&r)
		return errFailed
	}
	return nil
}

// printFailure tells of a seed that failed all that helps to find why.
func printFailure(r *cluster.Result) {
	fmt.Printf("\nseed %d FAILED after %v: %s\noptions: %+v\nthe last of its trace:\n", r.Seed, r.Time.Round(time.Millisecond), r.Failure, r.Options)
	for _, line := range r.Tail {
		fmt.Println(" ", line)
	}
	fmt.Printf("run it alone: go run ./test/simulation -seed %d -trace\n", r.Seed)
}
