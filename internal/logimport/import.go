package logimport

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"ottla/internal/inspect"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// Options say what is imported, and how.
type Options struct {
	FS vfs.FS
	// Sources are Kafka's log directories (log.dirs, and metadata.log.dir where
	// that is another), all of one node.
	Sources []string
	// Data is the directory to fill: empty, missing, or left by an import that
	// did not finish.
	Data string
	// Link gives closed segments another name instead of copying them, where
	// Kafka stopped cleanly. Source and Data lie on one file system then, and
	// Kafka must not be started on the source again.
	Link bool
	// Partial takes partitions whose files are in none of Sources as empty
	// ones.
	Partial bool
	Now     func() time.Time
	NewID   func() uuid.UUID
	Logger  *slog.Logger
	// Progress is told of every partition that is in place; it may be nil.
	Progress func(p Partition, done, all int)
}

// Partition is one partition as it was imported.
type Partition struct {
	Topic     string
	Partition int32
	Start     int64 // log start offset
	inspect.Sum
	// Empty tells that no source had files of it.
	Empty bool
	// Cut is why recovery took bytes from the end, "" when it took none.
	Cut string
}

// Result is what an import brought.
type Result struct {
	ClusterID  string
	NodeID     int32
	Clean      bool // Kafka had been stopped cleanly
	Topics     int
	Settings   int
	Partitions []Partition
	// Skipped are directories that belong to no topic: deleted, stray, moving.
	Skipped []string
	Linked  int64 // files
	Copied  int64 // files
}

// Refused tells why an import was not begun, and what to do.
type Refused struct {
	Path   string
	Reason string // a clause that continues the path
	Advice string
	Cause  error
}

// Error tells why the directory is not taken over.
func (r *Refused) Error() string {
	s := r.Path + " " + r.Reason
	if r.Cause != nil {
		s += ": " + r.Cause.Error()
	}
	return s + ". " + r.Advice
}

// Unwrap gives the cause, nil when the directory itself was the reason.
func (r *Refused) Unwrap() error { return r.Cause }

// run is one import.
type run struct {
	o      Options
	src    []*source
	image  *kafkaImage
	plan   []*planned
	dirID  uuid.UUID
	result Result
}

// Run imports. A *Refused says that nothing was begun; after any other error
// Data holds an unfinished import, which the next one clears away.
func Run(ctx context.Context, o Options) (res *Result, err error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	r := &run{o: o, dirID: o.NewID()}
	held, err := r.openSources()
	defer func() { err = errors.Join(err, closeAll(held)) }()
	if err != nil {
		return nil, err
	}
	if err := r.readMetadata(); err != nil {
		return nil, err
	}
	if err := r.makePlan(); err != nil {
		return nil, err
	}
	lock, err := r.takeTarget()
	if err != nil {
		return nil, err
	}
	if err := r.fill(ctx); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if err := lock.Close(); err != nil {
		return nil, fmt.Errorf("give back %s: %w", o.Data, err)
	}
	if err := r.found(); err != nil {
		return nil, err
	}
	return &r.result, nil
}

// fill does everything between the marker and the mark.
func (r *run) fill(ctx context.Context) error {
	for _, p := range r.plan {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("import stopped: %w", err)
		}
		if err := r.copyPartition(p); err != nil {
			return err
		}
	}
	if err := r.writeCheckpoints(); err != nil {
		return err
	}
	return r.openLogs(ctx)
}

func closeAll(cs []io.Closer) error {
	var errs []error
	for _, c := range cs {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}
