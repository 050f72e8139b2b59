package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"ottla/test/realfault"
)

// cutNode cuts the power under the real binary. The producers live through all
// cuts; what they were told is judged after each of them.
func cutNode(ctx context.Context, image *realfault.Image, dir string, r *rand.Rand) error {
	logFile, err := os.Create(filepath.Join(dir, "node.log"))
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }() // only read after a failure
	setup, err := realfault.NewSetup(ctx, *binary, dir, filepath.Join(image.Dir, "data"), logFile)
	if err != nil {
		return err
	}
	load := &realfault.Load{
		Address: setup.Address(), Topic: "cuts", Partitions: 6, Producers: 4, Rate: 5000, Size: 100,
		Ledger: realfault.NewLedger(),
	}
	slowest := time.Duration(0)
	verdict, err := realfault.UnderLoad(ctx, setup, load, func(node *realfault.Node) (*realfault.Node, error) {
		for i := range *cuts {
			if err := wait(ctx, r); err != nil {
				return node, err
			}
			if err := cycle(ctx, image, node.PID(), node.Kill); err != nil {
				return node, fmt.Errorf("cut %d: %w", i+1, err)
			}
			next, err := setup.Start(ctx)
			if err != nil {
				return node, fmt.Errorf("start after cut %d: %w", i+1, err)
			}
			node, slowest = next, max(slowest, next.Ready)
		}
		return node, nil
	})
	if err != nil {
		return err
	}
	fmt.Printf("powercut: %d cuts, slowest start %v; %v\n", *cuts, slowest.Round(time.Millisecond), verdict)
	if !verdict.OK() {
		return errors.New("a promise is broken")
	}
	return nil
}
