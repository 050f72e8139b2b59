//go:build !unix

package sockcall

import "syscall"

// Receive is not made here; Wrap gives connections back as they are.
func Receive(uintptr, []byte) (int, error) { return 0, syscall.EINVAL }

// Send is not made here either.
func Send(uintptr, []byte, bool) (int, error) { return 0, syscall.EINVAL }
