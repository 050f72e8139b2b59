//go:build unix

package main

import (
	"os/signal"
	"syscall"
)

// ignoreSignals keeps the process alive where a file-size limit is reached
// (RLIMIT_FSIZE): by its default SIGXFSZ would end it. The write fails with
// EFBIG instead, which the log treats as a full disk.
func ignoreSignals() { signal.Ignore(syscall.SIGXFSZ) }
