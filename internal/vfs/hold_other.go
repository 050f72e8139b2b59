//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package vfs

import "io"

// Hold takes the lock on an existing file; here it is that of Lock.
func (o *OS) Hold(name string) (io.Closer, error) { return o.Lock(name) }
