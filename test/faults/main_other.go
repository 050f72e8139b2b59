//go:build !linux

package main

import (
	"context"

	"ottla/test/realfault"
)

func main() {
	realfault.Main("faults", func(context.Context) error { return &realfault.Impossible{Reason: "it needs Linux"} })
}
