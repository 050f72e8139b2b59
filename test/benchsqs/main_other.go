//go:build !linux

package main

import (
	"context"

	"ottla/test/realfault"
)

func main() {
	realfault.Main("benchsqs", func(context.Context) error {
		return &realfault.Impossible{Reason: "it reads the processes' CPU time from Linux"}
	})
}
