package log

import (
	"errors"
	"fmt"
	"time"

	"ottla/internal/log/epoch"
	"ottla/internal/uuid"
)

// Position is a batch boundary: an offset and where its batch starts (or
// would start) on disk.
type Position struct {
	Offset  int64
	Segment int64 // base offset of the segment
	Byte    int64 // in that segment's .log file; -1 when not known
}

// Durability is when an append counts (setting durability).
type Durability int8

const (
	Fsync      Durability = iota // when it is synced
	Replicated                   // when every in-sync replica holds it in memory; synced in the background
	Memory                       // the same, never synced by us
)

// Config is one log's settings, already resolved and in range. A zero
// duration or size of a limit that Kafka writes as -1 means no limit.
type Config struct {
	SegmentBytes       int64
	SegmentAge         time.Duration
	SegmentJitter      time.Duration
	IndexBytes         int64 // segment.index.bytes: rolls when an index would grow past it
	IndexIntervalBytes int64
	Delete, Compact    bool // cleanup.policy
	RetentionAge       time.Duration
	RetentionBytes     int64
	FileDeleteDelay    time.Duration
	Durability         Durability
	FlushMessages      int64 // flush.messages and flush.ms keep their meaning
	FlushAge           time.Duration
	Internal           bool // internal topic or metadata: synced first, may use the disk reserve
	MaxDecompressed    int

	// For Compact: share of dirty bytes above which the log is due, the least
	// and the most time that a record stays uncleaned (0: none), and how long
	// tombstones and markers stay after a cleaning found them.
	DirtyRatio       float64
	MinCompactionLag time.Duration
	MaxCompactionLag time.Duration
	DeleteRetention  time.Duration
}

// durability is what counts: internal logs are always synced.
func (c *Config) durability() Durability {
	if c.Internal {
		return Fsync
	}
	return c.Durability
}

// Ident names a log.
type Ident struct {
	Topic     string
	Partition int32
	ID        uuid.UUID
}

// Epochs maps leader epochs to the offset where each began (KIP-101).
type Epochs = epoch.Cache

// EpochEntry is one line of leader-epoch-checkpoint.
type EpochEntry = epoch.Entry

// Recovery is what recovery cut or set aside.
type Recovery struct {
	From, End    int64 // offsets: where the walk began, where the log now ends
	CutBytes     int64 // moved aside, not lost: SavedTo
	SavedTo      string
	Reason       string
	ScannedBytes int64
}

// Kafka's defaults, for the fields that may not be zero.
const (
	defaultSegmentBytes  = 1 << 30
	defaultIndexBytes    = 10 << 20
	defaultIndexInterval = 4096
)

// maxSegmentBytes keeps positions within the 32 bits that .index has.
const maxSegmentBytes = 1<<31 - 1

func (c Config) withDefaults() Config {
	if c.SegmentBytes <= 0 {
		c.SegmentBytes = defaultSegmentBytes
	}
	c.SegmentBytes = min(c.SegmentBytes, maxSegmentBytes)
	if c.IndexBytes <= 0 {
		c.IndexBytes = defaultIndexBytes
	}
	if c.IndexIntervalBytes < 0 {
		c.IndexIntervalBytes = defaultIndexInterval
	}
	return c
}

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
	// ErrNothingToClean: BeginCleaning found nothing, or another cleaning at work.
	ErrNothingToClean = errors.New("there is nothing to clean")
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

// Error tells the file, the place in it and what is wrong there.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s: batch at byte %d (offset %d) %s", e.File, e.Byte, e.Offset, e.Reason)
}
