//go:build !darwin && !freebsd && !linux && !windows

package vfs

import "errors"

func usage(name string) (Usage, error) { return Usage{}, errors.ErrUnsupported }
