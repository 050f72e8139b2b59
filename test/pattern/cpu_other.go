//go:build !unix

package main

import "time"

// cpu is the time, where that of processors is not known.
func cpu() time.Duration { return time.Duration(time.Now().UnixNano()) }
