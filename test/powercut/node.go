package main

import (
	"context"
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
	node, err := setup.Start(ctx)
	if err != nil {
		return err
	}
	defer func() { node.Kill() }()
	load := &realfault.Load{
		Address: setup.Address(), Topic: "cuts", Partitions: 6, Producers: 4, Rate: 5000, Size: 100,
		Ledger: realfault.NewLedger(),
	}
	if err := load.Prepare(ctx); err != nil {
		return err
	}
	if err := load.Start(ctx); err != nil {
		return err
	}
	slowest := time.Duration(0)
	for i := range *cuts {
		if err := wait(ctx, r); err != nil {
			return err
		}
		if err := cycle(ctx, image, node.Kill); err != nil {
			return fmt.Errorf("cut %d: %w", i+1, err)
		}
		if node, err = setup.Start(ctx); err != nil {
			return fmt.Errorf("start after cut %d: %w", i+1, err)
		}
		slowest = max(slowest, node.Ready)
	}
	if err := load.Stop(); err != nil {
		return fmt.Errorf("the producers gave up: %w", err)
	}
	verdict, err := load.Verify(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("powercut: %d cuts, slowest start %v; %v\n", *cuts, slowest.Round(time.Millisecond), verdict)
	if !verdict.OK() {
		return fmt.Errorf("a promise is broken")
	}
	return node.Stop(10 * time.Second)
}
