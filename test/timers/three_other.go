//go:build !linux

package main

import (
	"context"

	"ottla/test/realfault"
)

func openThree(context.Context, string) (cluster, error) {
	return nil, &realfault.Impossible{Reason: "several nodes need Linux"}
}
