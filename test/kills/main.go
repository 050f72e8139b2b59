// Command kills starts the real `ottla serve` and kills it with SIGKILL at
// random moments, while idempotent producers with acks=all write to it. At the
// end everything is read: no acknowledged record may be lost, moved, doubled or
// out of order.
//
//	go run ./test/kills                 100 kills
//	go run ./test/kills -n 1000 -seed 7 -binary ./ottla
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"ottla/test/realfault"
)

var (
	kills      = flag.Int("n", 100, "how often the node is killed")
	seed       = flag.Uint64("seed", uint64(time.Now().UnixNano()), "of the moments of the kills")
	binary     = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	data       = flag.String("data", "", "directory for data and the node's log; without it a temporary one")
	producers  = flag.Int("producers", 4, "producers, each idempotent")
	partitions = flag.Int("partitions", 6, "partitions of the topic")
	rate       = flag.Int("rate", 20000, "records a second")
	size       = flag.Int("size", 100, "bytes of a record")
)

func main() {
	flag.Parse()
	realfault.Main("kills", run)
}

func run(ctx context.Context) error {
	dir, clean, err := realfault.WorkDir(*data, "kills")
	if err != nil {
		return err
	}
	logFile, err := os.Create(filepath.Join(dir, "node.log"))
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }() // only read after a failure
	setup, err := realfault.NewSetup(ctx, *binary, dir, filepath.Join(dir, "data"), logFile)
	if err != nil {
		return err
	}
	fmt.Printf("kills: %d kills, seed %d, data in %s\n", *kills, *seed, dir)
	verdict, slowest, err := killing(ctx, setup)
	if err != nil {
		return fmt.Errorf("%w (see %s)", err, logFile.Name())
	}
	fmt.Printf("kills: %d kills, slowest start %v; %v\n", *kills, slowest.Round(time.Millisecond), verdict)
	if !verdict.OK() {
		return fmt.Errorf("a promise is broken; the data is kept in %s", dir)
	}
	return clean()
}

// killing produces, kills and starts again, and judges what is left.
func killing(ctx context.Context, setup realfault.Setup) (v realfault.Verdict, slowest time.Duration, err error) {
	load := &realfault.Load{
		Address: setup.Address(), Topic: "kills", Partitions: int32(*partitions), Producers: *producers,
		Rate: *rate, Size: *size, Ledger: realfault.NewLedger(),
	}
	r := rand.New(rand.NewPCG(*seed, 0))
	v, err = realfault.UnderLoad(ctx, setup, load, func(node *realfault.Node) (*realfault.Node, error) {
		for i := range *kills {
			// Mostly soon, so that recovery itself is killed too.
			if err := realfault.Pause(ctx, time.Duration(r.Int64N(int64(20*time.Millisecond)<<r.IntN(6)))); err != nil {
				return node, err
			}
			if why, ended := node.Exited(); ended {
				return node, fmt.Errorf("the node ended by itself before kill %d: %w", i+1, why)
			}
			node.Kill()
			next, err := setup.Start(ctx)
			if err != nil {
				return node, fmt.Errorf("start after kill %d: %w", i+1, err)
			}
			node, slowest = next, max(slowest, next.Ready)
		}
		return node, nil
	})
	return v, slowest, err
}
