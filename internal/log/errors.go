package log

import (
	"errors"
	"fmt"
)

// Errors that callers tell apart.
var (
	// ErrOutOfRange: the offset lies outside [Start, to].
	ErrOutOfRange = errors.New("offset out of range")
	// ErrDiskFull: no room; nothing was appended; try again once there is.
	ErrDiskFull = errors.New("the disk is full")
	// ErrOffline: the log directory failed and serves nothing any more.
	ErrOffline = errors.New("the log directory is offline")
	// ErrWrongTopic: the directory belongs to another topic id.
	ErrWrongTopic = errors.New("the directory belongs to another topic id")
	// ErrClosed: the log was closed or deleted.
	ErrClosed = errors.New("the log is closed")
)

// CorruptError is rot: bytes that were durable and no longer match their
// checksum. The range is never served.
type CorruptError struct {
	File       string
	Byte       int64
	Offset     int64 // of the first record that cannot be read
	NextOffset int64 // where reading can go on, -1 when not known
	Reason     string
	nextByte   int64 // where NextOffset's batch begins in File; 0 when it is elsewhere
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: batch at byte %d (offset %d) %s", e.File, e.Byte, e.Offset, e.Reason)
}
