package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/realfault"
	"ottla/test/rig/mortal"
)

var (
	kills   = flag.Int("kills", 100, "how often a node is killed")
	nodes   = flag.Int("nodes", 1, "nodes of the cluster: 1 or 3")
	seed    = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of the kills, and of what is put")
	rate    = flag.Int("rate", 300, "events a second")
	bench   = flag.String("bench", "", "kill nothing, and measure these figures, comma-separated, or all (Linux)")
	ottlaAt = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn  = flag.String("dir", "", "where all is kept; without it a temporary folder")
	loopTo  = flag.String("loop", "", "be the loop of calls that a bus is measured beside, to this address (Linux)")
)

func main() {
	flag.Parse()
	realfault.Main("bus", run)
}

// errShort says that all was measured, and not all is as good as it shall be.
var errShort = errors.New("figures fall short of their goals")

func run(ctx context.Context) error {
	if *loopTo != "" {
		return loop(ctx, *loopTo)
	}
	dir, clean, err := realfault.WorkDir(*keepIn, "bus")
	if err != nil {
		return err
	}
	if *bench != "" {
		err := measure(ctx, dir)
		if err != nil && !errors.Is(err, errShort) {
			return fmt.Errorf("%w (all is kept in %s)", err, dir)
		}
		return errors.Join(err, clean())
	}
	c, err := mortal.Open(ctx, mortal.Options{Nodes: *nodes, Binary: *ottlaAt, Dir: dir})
	if err != nil {
		return err
	}
	fmt.Printf("bus: %d kills of %d nodes, seed %d, in %s\n", *kills, *nodes, *seed, dir)
	if err = errors.Join(play(ctx, c), c.Close(context.WithoutCancel(ctx))); err != nil {
		return fmt.Errorf("seed %d: %w (all is kept in %s)", *seed, err, dir)
	}
	return clean()
}

// play puts events while nodes are killed, and judges.
func play(ctx context.Context, c mortal.Cluster) error {
	hook, err := newHook(*seed)
	if err != nil {
		return err
	}
	defer hook.close()
	d := &door{addrs: c.HTTPAddrs()}
	if err := build(ctx, d, c, hook.url()); err != nil {
		return err
	}
	l, err := newLoad(c.Addrs())
	if err != nil {
		return err
	}
	l.start(ctx)
	m := &meddler{d: d, rng: rand.New(rand.NewPCG(*seed, 3))}
	m.start(ctx)
	rng := rand.New(rand.NewPCG(*seed, 0))
	var hurt error
	for i := 0; i < *kills && hurt == nil; i++ {
		// Mostly soon, so that what is on its way is hit, too.
		hurt = realfault.Pause(ctx, time.Duration(rng.Int64N(int64(20*time.Millisecond)<<rng.IntN(8))))
		if hurt == nil {
			hurt = c.Kill(ctx, rng)
		}
		if i == *kills/2 && hurt == nil {
			hurt = m.replay(ctx)
		}
	}
	hook.calm.Store(true)
	if err := errors.Join(hurt, m.stop(ctx), l.stop()); err != nil {
		return err
	}
	fmt.Printf("bus: %d events were put; the address was called %d times\n", l.count.Load(), hook.calls.Load())
	return judge(ctx, c, d, hook)
}

// clientOf makes a client that outlives every end of a node.
func clientOf(addrs []string, opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(addrs...), kgo.AlwaysRetryEOF(), kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.RetryBackoffFn(func(int) time.Duration { return 20 * time.Millisecond }), kgo.UnknownTopicRetries(-1),
	}, opts...)...)
}
