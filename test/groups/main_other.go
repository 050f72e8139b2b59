//go:build !linux

package main

import (
	"context"

	"ottla/test/realfault"
)

func main() {
	realfault.Main("groups", func(context.Context) error { return &realfault.Impossible{Reason: "it needs Linux"} })
}
