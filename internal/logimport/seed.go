package logimport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/quorum"
)

// seeder is a state machine whose commands are the records themselves: the
// quorum makes them durable, and the controller finds them as it finds its own.
type seeder struct{}

// Step turns the import's command into its records.
func (seeder) Step(_ time.Time, cmd any) ([]metadata.Record, any, error) {
	records, ok := cmd.([]metadata.Record)
	if !ok {
		return nil, nil, fmt.Errorf("seed the metadata log: a command of type %T", cmd)
	}
	return records, nil, nil
}

// Apply does nothing: the image is built elsewhere.
func (seeder) Apply(metadata.Record) {}

// Reset does nothing: the image is built elsewhere.
func (seeder) Reset(img *metadata.Image) {}

// maxStep is how many records go into one batch of the metadata log: Kafka's
// controller takes as many at once. A topic of more partitions is one batch
// all the same.
const maxStep = 10000

// seedDir is where the metadata log is made, below Data.
const seedDir = "ottla.seed"

// seed founds the quorum of the new node, writes the metadata, and moves its log
// to its place.
func (r *run) seed(ctx context.Context) error {
	apart := r.o.Data + "/" + seedDir
	dir, err := log.OpenDir(log.DirOptions{FS: r.o.FS, Path: apart, Now: r.o.Now, Logger: r.o.Logger})
	if err != nil {
		return fmt.Errorf("make the metadata log: %w", err)
	}
	err = r.withQuorum(ctx, dir, r.writeRecords)
	if err := errors.Join(err, dir.Close(nil)); err != nil {
		return err
	}
	if err := r.o.FS.Rename(apart+"/"+metadataDir, r.o.Data+"/"+metadataDir); err != nil {
		return fmt.Errorf("move the metadata log to its place: %w", err)
	}
	if err := r.o.FS.RemoveAll(apart); err != nil {
		return fmt.Errorf("clear away %s: %w", apart, err)
	}
	if err := r.o.FS.SyncDir(r.o.Data); err != nil {
		return fmt.Errorf("sync %s: %w", r.o.Data, err)
	}
	return nil
}

// checkSeed opens the quorum where it will run and looks at what it remembers.
func (r *run) checkSeed(ctx context.Context, dir *log.Dir) error {
	return r.withQuorum(ctx, dir, func(_ context.Context, q *quorum.Node) error {
		img := q.Image()
		if img.TopicCount() != r.image.TopicCount() || img.PartitionCount() != r.image.PartitionCount() {
			return fmt.Errorf("the new metadata log remembers %d topics and %d partitions of %d and %d",
				img.TopicCount(), img.PartitionCount(), r.image.TopicCount(), r.image.PartitionCount())
		}
		return nil
	})
}

func (r *run) withQuorum(ctx context.Context, dir *log.Dir, do func(context.Context, *quorum.Node) error) error {
	q, err := quorum.Open(quorum.Options{
		NodeID: r.result.NodeID, DirectoryID: r.dirID, ClusterID: r.result.ClusterID, Dir: dir,
		Machine: seeder{}, Now: r.o.Now, Logger: r.o.Logger, OnImage: func(*metadata.Image, *metadata.Delta) {},
	})
	if err != nil {
		return fmt.Errorf("open the new metadata log: %w", err)
	}
	if err = q.Start(ctx); err != nil {
		err = fmt.Errorf("start the new metadata log: %w", err)
	} else {
		err = do(ctx, q)
	}
	return errors.Join(err, q.Close())
}

func (r *run) writeRecords(ctx context.Context, q *quorum.Node) error {
	var step []metadata.Record
	steps := r.records()
	for i, records := range steps {
		step = append(step, records...)
		if i+1 < len(steps) && len(step)+len(steps[i+1]) <= maxStep {
			continue
		}
		if _, err := q.Do(ctx, step); err != nil {
			return fmt.Errorf("write the metadata: %w", err)
		}
		step = nil
	}
	return nil
}
