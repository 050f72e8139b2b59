package vfs

import (
	"errors"
	"syscall"
)

// NoSpace tells whether err means that there is no room: no free block, no
// free inode, a quota or a file-size limit reached. Such an error passes when
// room returns; every other error of a write is a broken disk.
func NoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) ||
		errors.Is(err, syscall.EFBIG) || noSpacePlatform(err)
}

// ErrLocked is the cause when Lock finds the file locked already.
var ErrLocked = errors.New("locked by someone else")
