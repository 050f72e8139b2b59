package log

import (
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/mark"
	"ottla/internal/log/note"
	"ottla/internal/log/ring"
	"ottla/internal/log/walk"
	"ottla/internal/producer"
)

// Log is one partition's log on disk.
//
// Writers (Append, AdvanceStart, TruncateTo, Roll, Retain, Configure, Close)
// and everything reached through Producers are serialised by the caller;
// Read, Slice, Start, End, Durable, LookupTime, Aborted, Epochs and SyncRound
// may run beside them.
type Log struct {
	dir       *Dir
	id        Ident
	name      string // of the directory, without path
	onDurable func(Position)
	onOffline func(error)
	high      func() int64 // for the checkpoint; nil: it keeps none
	// remembered is the high watermark of the checkpoint that the log was opened
	// by, -1 when it had none.
	remembered int64
	open       atomic.Bool // all below may be looked at by others than who opens it
	lost       atomic.Bool // see Lost
	doubted    atomic.Bool // see Doubted
	keep       bool        // see OpenOptions.KeepDoubts
	cfg        atomic.Pointer[Config]

	// w is held by writers and by the steps' chores on this log (allocate
	// ahead, finish rolled segments, unpin). It comes before mu.
	w         sync.Mutex
	producers *producer.State // nil until somebody asks or a producer writes
	report    *Recovery
	flow      flow

	epochs Epochs
	rules  walk.Rules
	load   sync.Mutex // serialises loading and writing of indexes; after w, before mu

	mu        sync.Mutex // guards what follows and the shared fields of segments
	segs      []*segment // by base offset; the last one is active
	aborting  []*segment // those of segs with entries in their transaction index, or a file of it
	pinned    bool       // the active segment's file is open for writing
	closed    bool
	emptied   bool // it held something once: the checkpoint must say that it does no more
	start     int64
	end       Position
	durable   Position
	cuts      atomic.Uint64 // truncations so far: a sync that ran across one proves nothing
	tail      *ring.Tail
	newDir    bool             // the partition directory itself was made and not synced yet
	made      int64            // segment files made
	entered   int64            // of these, synced into the directory
	gaps      []checkpoint.Gap // where segments rightly begin above the end before them
	gapsStale bool             // the checkpoint on disk has gaps that were forgotten since; the writer's
	marks     mark.Set         // where a restart may go on
	sparse    atomic.Bool      // offsets may be missing inside segments: it is or was compacted, or Kafka made it
	loose     atomic.Bool      // batches may have other epochs than the cache says
	wantMark  atomic.Bool
	changed   atomic.Bool // since the last checkpoint

	urgent      atomic.Bool   // in the dirty set
	background  atomic.Bool   // in the set that Housekeep looks at
	rolled      atomic.Bool   // in the set that FlushClosed looks at
	epochsDone  uint64        // version of epochs in leader-epoch-checkpoint
	epochsSaved atomic.Uint64 // version of epochs in the checkpoint

	cleaning cleaning
	kept     *note.File
	doubts   doubts // as the file has them; w guards them
}

// flow is what the writer counts, for flushing and allocating ahead.
type flow struct {
	messages int64     // appended since the last sync by flush rules
	dirtyAt  time.Time // when the oldest unsynced append came; zero when none
	bytes    int64     // appended since the last Housekeep
	quiet    int       // rounds of Housekeep without an append
}

// Ident names the log.
func (l *Log) Ident() Ident { return l.id }

// Remembered is the high watermark that the checkpoint kept for the owner of the
// log (OpenOptions.High); -1 when it kept none. It may be older than the owner
// knew, never newer, and the log may have lost its end since.
func (l *Log) Remembered() int64 { return l.remembered }

// Lost tells that something that was durable here can not be read any more: where
// there are other replicas, this one begins again from them (StartAt). Where
// OpenOptions.KeepDoubts says so, that is told at every start until then.
func (l *Log) Lost() bool { return l.lost.Load() }

// Doubted tells that the log may end below what it had acknowledged: when it was
// opened its last bytes could not be read. A power cut leaves such bytes behind what
// was synced, and damage to what was synced past the recovery point looks the same.
// Only other replicas can tell. It is told of a log that lost something in what was
// read when it was opened, too (Lost): its producers and transactions are not known
// whole. Where OpenOptions.KeepDoubts says so, that is told at every start until Trust.
func (l *Log) Doubted() bool { return l.doubted.Load() }

// Config is the configuration in force.
func (l *Log) Config() Config { return *l.cfg.Load() }

// Dir is the directory that the log lies in.
func (l *Log) Dir() *Dir { return l.dir }

// Start is the log start offset.
func (l *Log) Start() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.start
}

// End is the log end offset.
func (l *Log) End() Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.end
}

// Durable is the position below which everything is synced (or recovered and
// synced). Under Replicated and Memory it follows the syncs that really
// happened; it never guesses.
func (l *Log) Durable() Position {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.durable
}

// Size is the bytes of all segments.
func (l *Log) Size() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	var n int64
	for _, s := range l.segs {
		n += s.size
	}
	return n
}

// Producers is the state of the log's producers; the caller's lock guards it.
func (l *Log) Producers() *producer.State {
	if l.producers == nil {
		l.producers = producer.NewState()
	}
	return l.producers
}

// Epochs is the leader-epoch cache. Whoever changes it has the change written
// by the next checkpoint.
func (l *Log) Epochs() *Epochs { return &l.epochs }

// RecoveryReport says what opening this log found and did; nil when clean.
func (l *Log) RecoveryReport() *Recovery { return l.report }

// Configure replaces the configuration. What was appended under a weaker
// durability is synced by the next round if the new one asks for it.
func (l *Log) Configure(c Config) {
	c = c.withDefaults()
	if c.Compact && !l.sparse.Swap(true) {
		l.changed.Store(true)
	}
	l.cfg.Store(&c)
	if c.durability() == Fsync && l.Durable() != l.End() {
		l.dir.markUrgent(l, c.Internal)
	}
}

// active is the segment that is written to, nil when there is none. Either
// lock is held.
func (l *Log) active() *segment {
	if len(l.segs) == 0 {
		return nil
	}
	return l.segs[len(l.segs)-1]
}

// path is the log's directory.
func (l *Log) path() string { return l.dir.path + "/" + l.name }

// Note is the file that may be kept beside the log; see package note.
func (l *Log) Note() *note.File { return l.kept }

// noteFailed takes a failure of the note's file: a full disk passes, any other
// is the directory's end, as for all its files.
func (l *Log) noteFailed(err error) error { return l.refuse(l.cfg.Load(), err) }

// alive tells why the log can not be used, or nil.
func (l *Log) alive() error {
	if err := l.dir.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	return nil
}
