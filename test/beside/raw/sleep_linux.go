package raw

import (
	"syscall"
	"time"
)

// SleepUntil waits in the kernel: the runtime's timers round up to milliseconds in a
// process that has nothing else to do, which would count as delay.
func SleepUntil(at time.Time) {
	if d := time.Until(at); d > 50*time.Microsecond {
		ts := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&ts, nil) // woken early: what is sent is early by that
	}
}
