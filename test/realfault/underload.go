package realfault

import (
	"context"
	"fmt"
	"time"
)

// UnderLoad starts a node and the load, lets hurt do its work, stops the load,
// and judges all that was acknowledged. hurt gets the node that runs and gives
// back the one that runs when it has done. The error also tells of producers
// that gave up.
func UnderLoad(ctx context.Context, setup Setup, load *Load, hurt func(node *Node) (*Node, error)) (Verdict, error) {
	node, err := setup.Start(ctx)
	if err != nil {
		return Verdict{}, err
	}
	defer func() { node.Kill() }() // a second end is none
	if err := load.Prepare(ctx); err != nil {
		return Verdict{}, err
	}
	if err := load.Start(ctx); err != nil {
		return Verdict{}, err
	}
	left, err := hurt(node)
	if left != nil {
		node = left
	}
	if err != nil {
		return Verdict{}, err
	}
	if err := load.Stop(); err != nil {
		return Verdict{}, fmt.Errorf("the producers gave up: %w", err)
	}
	verdict, err := load.Verify(ctx)
	if err != nil {
		return Verdict{}, err
	}
	return verdict, node.Stop(time.Minute)
}
