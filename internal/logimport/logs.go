package logimport

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"ottla/internal/inspect"
	"ottla/internal/log"
	"ottla/internal/metadata"
)

// openLogs opens every log, which recovers it and makes Ottla's checkpoint;
// then, with the new metadata log beside them, all once more as a start does;
// and compares.
//
// The metadata log is made apart (seed) and comes second: the checkpoint must
// know that Kafka made the others, and that this one is our own.
func (r *run) openLogs(ctx context.Context) error {
	err := r.session(func(dir *log.Dir, highs map[log.Ident]int64) error {
		return r.openEach(ctx, dir, highs, true)
	})
	if err != nil {
		return err
	}
	if err := r.seed(ctx); err != nil {
		return err
	}
	err = r.session(func(dir *log.Dir, highs map[log.Ident]int64) error {
		if err := r.openEach(ctx, dir, highs, false); err != nil {
			return err
		}
		return r.checkSeed(ctx, dir)
	})
	if err != nil {
		return err
	}
	return r.compare(ctx)
}

// session opens the directory for do and closes it cleanly.
func (r *run) session(do func(*log.Dir, map[log.Ident]int64) error) error {
	dir, err := log.OpenDir(log.DirOptions{FS: r.o.FS, Path: r.o.Data, Now: r.o.Now, Logger: r.o.Logger})
	if err != nil {
		return fmt.Errorf("open the imported directory: %w", err)
	}
	highs := map[log.Ident]int64{}
	err = do(dir, highs)
	return errors.Join(err, dir.Close(func(id log.Ident) int64 {
		if high, ok := highs[id]; ok {
			return high
		}
		return -1
	}))
}

func (r *run) openEach(ctx context.Context, dir *log.Dir, highs map[log.Ident]int64, first bool) error {
	for i, p := range r.plan {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("import stopped: %w", err)
		}
		out := Partition{Topic: p.topic.Name, Partition: p.Index, Empty: p.from == nil}
		if p.from != nil {
			id := log.Ident{Topic: p.topic.Name, Partition: p.Index, ID: p.topic.ID}
			l, err := dir.Open(id, log.OpenOptions{Config: log.Config{
				Compact: r.compacts(p.topic.Name), Internal: metadata.IsInternal(p.topic.Name),
			}})
			if err != nil {
				return fmt.Errorf("open imported log: %w", err)
			}
			out.Start, out.End = l.Start(), l.End().Offset
			if !first && (out.Start != r.result.Partitions[i].Start || out.End != r.result.Partitions[i].End) {
				return fmt.Errorf("%s: opened again it holds offsets %d to %d, not %d to %d", p.name, out.Start, out.End, r.result.Partitions[i].Start, r.result.Partitions[i].End)
			}
			if rep := l.RecoveryReport(); rep != nil && rep.CutBytes > 0 {
				out.Cut = cmp.Or(rep.Reason, "cut by recovery")
			}
			if want := p.from.starts[p.name]; out.Start < want {
				return fmt.Errorf("%s: the imported log starts at offset %d, and Kafka's at %d", p.name, out.Start, want)
			}
			highs[id] = out.End
		}
		if first {
			r.result.Partitions = append(r.result.Partitions, out)
		}
	}
	return nil
}

// compacts tells whether compaction may have left offsets out of a topic.
func (r *run) compacts(topic string) bool {
	return strings.Contains(r.image.Config(metadata.ResourceTopic, topic)["cleanup.policy"], "compact")
}

// compare sums up source and copy, batch by batch.
func (r *run) compare(ctx context.Context) error {
	for i, p := range r.plan {
		out := &r.result.Partitions[i]
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("import stopped: %w", err)
		}
		if p.from != nil {
			want, err := inspect.SumPartition(r.o.FS, p.from.path+"/"+p.name)
			if err != nil {
				return fmt.Errorf("sum up the source: %w", err)
			}
			got, err := inspect.SumPartition(r.o.FS, r.o.Data+"/"+p.name)
			if err != nil {
				return fmt.Errorf("sum up the copy: %w", err)
			}
			if err := differ(p.name, want, got, out); err != nil {
				return err
			}
			out.Sum = got
		}
		if r.o.Progress != nil {
			r.o.Progress(*out, i+1, len(r.plan))
		}
	}
	return nil
}

// differ tells in what a copy is not its source. Segments wholly below the log
// start offset may have gone when the log was opened.
func differ(name string, want, got inspect.Sum, out *Partition) error {
	got.Torn, got.TornByte, want.Torn, want.TornByte = "", 0, "", 0
	if out.Start > want.First && got.First > want.First && got.End == want.End {
		return nil
	}
	if want.Batches == 0 && got.Batches == 0 {
		return nil
	}
	if got != want || out.End != want.End {
		return fmt.Errorf("%s came out otherwise than it is in the source: %d batches, %d records, %d bytes, offsets %d to %d, checksum %08x instead of %d, %d, %d, %d to %d, %08x",
			name, got.Batches, got.Records, got.Bytes, got.First, out.End, got.CRC, want.Batches, want.Records, want.Bytes, want.First, want.End, want.CRC)
	}
	return nil
}
