package book

import (
	"fmt"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/layout"
)

// offsets reads one of Kafka's text checkpoints. A damaged one says nothing.
func (b *Book) offsets(name string) map[string]int64 {
	raw, err := checkpoint.Read(b.fs, b.path+"/"+name)
	if err != nil {
		return nil
	}
	lines, err := checkpoint.ParseOffsets(raw)
	if err != nil {
		b.log.Warn("checkpoint file is damaged and is passed by", "file", name, "err", err)
		return nil
	}
	out := make(map[string]int64, len(lines))
	for _, l := range lines {
		out[layout.DirName(l.Topic, l.Partition)] = l.Offset
	}
	return out
}

func (b *Book) takeCleanMark() error {
	name := b.path + "/" + checkpoint.CleanShutdown
	_, err := b.fs.Stat(name)
	if missing(err) {
		return nil
	}
	if err == nil {
		b.Clean = true
		if err = b.fs.Remove(name); err == nil {
			err = b.fs.SyncDir(b.path)
		}
	}
	if err != nil {
		return fmt.Errorf("take away the clean-shutdown mark %s: %w", name, err)
	}
	return nil
}

// Stand is where one log stands, for Kafka's text checkpoints. High is -1 where
// no high watermark is to be written.
type Stand struct {
	Topic                string
	Partition            int32
	Durable, Start, High int64
}

// WriteText writes Kafka's own checkpoints. Without highs the file of high
// watermarks stays as it is.
func (b *Book) WriteText(logs []Stand, highs, durable bool) error {
	var points, starts, marks []checkpoint.Offset
	for _, l := range logs {
		at := checkpoint.Offset{Topic: l.Topic, Partition: l.Partition, Offset: l.Durable}
		points = append(points, at)
		if l.Start > 0 {
			at.Offset = l.Start
			starts = append(starts, at)
		}
		at.Offset = max(l.High, 0)
		marks = append(marks, at)
	}
	files := []struct {
		name  string
		lines []checkpoint.Offset
	}{{checkpoint.RecoveryPoints, points}, {checkpoint.LogStarts, starts}, {checkpoint.HighWatermarks, marks}}
	for _, f := range files {
		if f.name == checkpoint.HighWatermarks && !highs {
			continue
		}
		if err := checkpoint.Write(b.fs, b.path, f.name, checkpoint.AppendOffsets(nil, f.lines), durable); err != nil {
			return err
		}
	}
	return nil
}

// WriteClean marks a clean stop.
func (b *Book) WriteClean() error {
	if b.MayLack {
		if err := b.keepUntold(); err != nil {
			return err
		}
	}
	return checkpoint.Write(b.fs, b.path, checkpoint.CleanShutdown, []byte(checkpoint.CleanShutdownV0), true)
}
