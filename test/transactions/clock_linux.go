package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// sharedNow is the time of a clock that is the same in all processes of this
// machine and is never set.
func sharedNow() (int64, error) {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0, fmt.Errorf("read the clock: %w", err)
	}
	return t.Nano(), nil
}
