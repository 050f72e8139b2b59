//go:build !linux

package main

import (
	"context"

	"ottla/test/realfault"
)

func main() {
	realfault.Main("recovery", func(context.Context) error {
		return &realfault.Impossible{Reason: "it reads what processes cost from Linux's /proc"}
	})
}
