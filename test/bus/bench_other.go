//go:build !linux

package main

import (
	"context"

	"ottla/test/realfault"
)

// measure always fails with *Impossible.
func measure(context.Context, string) error {
	return &realfault.Impossible{Reason: "it reads the processes' CPU time from Linux"}
}

// loop always fails with *Impossible.
func loop(ctx context.Context, _ string) error { return measure(ctx, "") }
