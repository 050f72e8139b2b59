//go:build !unix

package main

import (
	"os/exec"
	"time"
)

// endGroup bounds the wait for processes that p leaves behind.
func endGroup(p *exec.Cmd) { p.WaitDelay = 5 * time.Second }
