package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"time"

	"ottla/test/realfault"
)

var (
	kills    = flag.Int("n", 100, "how often a node is killed")
	nodes    = flag.Int("nodes", 1, "nodes of the cluster: 1 or 3")
	seed     = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of the kills, and of the delays")
	rate     = flag.Int("rate", 500, "records a second")
	most     = flag.Duration("delay", 3*time.Second, "the longest delay of a record")
	every    = flag.Duration("schedules", 100*time.Millisecond, "between two schedules that are made")
	binary   = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	measured = flag.Bool("figures", false, "kill nothing, and measure what timers cost")
	pending  = flag.Int("pending", 1_000_000, "with -figures: timers that wait")
	fires    = flag.Int("fires", 10_000, "with -figures: timers a second that come")
	profile  = flag.String("profile", "", "with -figures: where a CPU profile of the timers that come is written")
	keepIn   = flag.String("dir", "", "where all is kept; without it a temporary folder")
)

// cluster is the nodes of a run.
type cluster interface {
	addrs() []string
	doors() []string // of HTTP
	replicas() int16
	// kill ends a node with SIGKILL and starts it again.
	kill(ctx context.Context, rng *rand.Rand) error
	close(ctx context.Context) error
}

func main() {
	flag.Parse()
	realfault.Main("timers", run)
}

func run(ctx context.Context) error {
	dir, clean, err := realfault.WorkDir(*keepIn, "timers")
	if err != nil {
		return err
	}
	if *measured {
		if err := figures(ctx, dir); err != nil {
			return err
		}
		return clean()
	}
	fmt.Printf("timers: %d kills of %d nodes, seed %d, in %s\n", *kills, *nodes, *seed, dir)
	v, runs, err := play(ctx, dir)
	if err != nil {
		return fmt.Errorf("seed %d: %w (all is kept in %s)", *seed, err, dir)
	}
	fmt.Printf("timers: %d kills of %d nodes: %v\n", *kills, *nodes, v)
	fmt.Printf("timers: runs of schedules: %v\n", runs)
	return clean()
}

// play runs it from the first start to the verdict.
func play(ctx context.Context, dir string) (v, runs *verdict, err error) {
	c, err := open(ctx, dir)
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, c.close(context.WithoutCancel(ctx))) }()
	if err := prepare(ctx, c.addrs(), c.replicas()); err != nil {
		return nil, nil, err
	}
	l := &load{rate: *rate, most: *most, rng: rand.New(rand.NewPCG(*seed, 1))}
	if err := l.start(ctx, c.addrs()); err != nil {
		return nil, nil, err
	}
	a := &agenda{doors: c.doors(), every: *every, rng: rand.New(rand.NewPCG(*seed, 2))}
	if err := prepareRuns(ctx, a); err != nil {
		return nil, nil, errors.Join(err, l.stop(ctx))
	}
	a.start(ctx)
	rng := rand.New(rand.NewPCG(*seed, 0))
	var hurt error
	for i := 0; i < *kills && hurt == nil; i++ {
		// Mostly soon, so that what is on its way is hit, too.
		hurt = realfault.Pause(ctx, time.Duration(rng.Int64N(int64(20*time.Millisecond)<<rng.IntN(7))))
		if hurt == nil {
			hurt = c.kill(ctx, rng)
		}
	}
	last, err := a.stop()
	if err := errors.Join(hurt, err, l.stop(ctx)); err != nil {
		return nil, nil, err
	}
	if v, err = settled(ctx, c.addrs(), l); err != nil {
		return nil, nil, err
	}
	runs, err = settledRuns(ctx, c.addrs(), a, last)
	return v, runs, err
}

// patience bounds the wait for the last timer after its time.
const patience = time.Minute

// settled waits until all that is in the line has come out of it, and judges.
func settled(ctx context.Context, addrs []string, l *load) (*verdict, error) {
	ctx, cancel := context.WithTimeout(ctx, *most+5*patience)
	defer cancel()
	client, err := clientOf(addrs)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	line, err := readLine(ctx, addrs)
	if err != nil {
		return nil, err
	}
	if err := l.missing(line); err != nil {
		return nil, err
	}
	for until := time.Now().Add(*most + patience); ; {
		n, err := ends(ctx, client, topic)
		if err != nil {
			return nil, err
		}
		if n >= int64(len(line)) || time.Now().After(until) {
			break
		}
		if err := realfault.Pause(ctx, 100*time.Millisecond); err != nil {
			return nil, err
		}
	}
	// What came twice comes now.
	if err := realfault.Pause(ctx, time.Second); err != nil {
		return nil, err
	}
	out, err := readTopic(ctx, addrs)
	if err != nil {
		return nil, err
	}
	v := judge(line, out)
	return v, v.err()
}

// open starts the nodes.
func open(ctx context.Context, dir string) (cluster, error) {
	switch *nodes {
	case 1:
		return openOne(ctx, dir)
	case 3:
		return openThree(ctx, dir)
	}
	return nil, fmt.Errorf("-nodes %d: 1 or 3", *nodes)
}
