package inspect

import (
	"encoding/binary"
	"math"
	"path"

	"ottla/internal/log/checkpoint"
	"ottla/internal/log/index"
	"ottla/internal/log/layout"
	"ottla/internal/producer"
)

// small shows a file that was read whole.
func (d *dumper) small(name, kind string, b []byte) error {
	base, _, _ := layout.ParseFileName(path.Base(name))
	switch kind {
	case layout.Index:
		return d.offsets(name, base, b)
	case layout.Times:
		return d.times(name, base, b)
	case layout.Aborted:
		return d.aborted(name, b)
	case layout.Snapshot:
		return d.producers(name, b)
	case layout.Gap:
		g, err := checkpoint.ParseGap(b)
		if err != nil {
			return d.damage(name, -1, err)
		}
		return d.line(name, "gap", -1, Field{"from", g.From}, Field{"to", g.To})
	case checkpoint.PartitionMeta:
		id, err := checkpoint.ParseMetadata(b)
		if err != nil {
			return d.damage(name, -1, err)
		}
		return d.line(name, "topic", -1, Field{"topic_id", id.String()})
	case checkpoint.LeaderEpochs:
		return d.epochs(name, b)
	case checkpoint.Name:
		return d.checkpoint(name, b)
	}
	return d.offsetLines(name, b)
}

func (d *dumper) offsets(name string, base int64, b []byte) error {
	entries, err := index.ParseOffsets(b, math.MaxInt32)
	for i, e := range entries {
		if err := d.line(name, "offset", int64(i)*index.OffsetSize, Field{"offset", base + int64(e.Rel)}, Field{"position", e.Pos}); err != nil {
			return err
		}
	}
	if err != nil {
		return d.damage(name, int64(len(entries))*index.OffsetSize, err)
	}
	return nil
}

func (d *dumper) times(name string, base int64, b []byte) error {
	entries, err := index.ParseTimes(b)
	for i, e := range entries {
		if err := d.line(name, "time", int64(i)*index.TimeSize, Field{"timestamp", e.TimestampMs}, Field{"offset", base + int64(e.Rel)}); err != nil {
			return err
		}
	}
	if err != nil {
		return d.damage(name, int64(len(entries))*index.TimeSize, err)
	}
	return nil
}

func (d *dumper) aborted(name string, b []byte) error {
	entries, err := index.ParseAborted(b, 0, math.MaxInt64)
	for i, a := range entries {
		err := d.line(name, "aborted", int64(i)*index.AbortedSize, Field{"producer_id", a.ProducerID}, Field{"first_offset", a.FirstOffset},
			Field{"last_offset", a.LastOffset}, Field{"last_stable_offset", a.LastStableOffset})
		if err != nil {
			return err
		}
	}
	if err != nil {
		return d.damage(name, int64(len(entries))*index.AbortedSize, err)
	}
	return nil
}

// snapshotHead is the size of what stands before the producers in a snapshot,
// snapshotEntry that of one of them.
const (
	snapshotHead  = 10
	snapshotEntry = 46
)

func (d *dumper) producers(name string, b []byte) error {
	s := producer.NewState()
	if err := s.Restore(b); err != nil {
		return d.damage(name, 0, err)
	}
	for i, p := range s.List() {
		at := int64(snapshotHead + i*snapshotEntry)
		err := d.line(name, "producer", at, Field{"producer_id", p.ProducerID}, Field{"epoch", p.Epoch}, Field{"last_sequence", p.LastSequence},
			Field{"last_timestamp", p.LastTimestampMs}, Field{"coordinator_epoch", p.CoordinatorEpoch}, Field{"txn_start_offset", p.CurrentTxnStartOffset})
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *dumper) epochs(name string, b []byte) error {
	entries, err := checkpoint.ParseEpochs(b)
	for _, e := range entries {
		if err := d.line(name, "epoch", -1, Field{"leader_epoch", e.Epoch}, Field{"start_offset", e.Start}); err != nil {
			return err
		}
	}
	if err != nil {
		return d.damage(name, -1, err)
	}
	return nil
}

// offsetLines shows one of Kafka's text checkpoints.
func (d *dumper) offsetLines(name string, b []byte) error {
	if len(b) == 0 {
		return nil // Kafka makes them empty
	}
	entries, err := checkpoint.ParseOffsets(b)
	for _, e := range entries {
		if err := d.line(name, "checkpoint", -1, Field{"topic", e.Topic}, Field{"partition", e.Partition}, Field{"offset", e.Offset}); err != nil {
			return err
		}
	}
	if err != nil {
		return d.damage(name, -1, err)
	}
	return nil
}

// checkpoint shows Ottla's own.
func (d *dumper) checkpoint(name string, b []byte) error {
	f, err := checkpoint.Parse(b)
	if err != nil {
		return d.damage(name, 0, err)
	}
	err = d.line(name, "checkpoint", 0, Field{"version", binary.BigEndian.Uint16(b[8:])}, Field{"sequence", f.Sequence}, Field{"logs", len(f.Logs)})
	if err != nil {
		return err
	}
	for _, e := range f.Logs {
		l, err := checkpoint.ParseLog(e.Body)
		if err != nil {
			if err := d.damage(name, -1, err); err != nil {
				return err
			}
			continue
		}
		err = d.line(name, "log", -1, Field{"topic", e.Topic}, Field{"partition", e.Partition}, Field{"topic_id", l.ID.String()},
			Field{"start", l.Start}, Field{"end", l.End}, Field{"recovery", l.Recovery.Offset}, Field{"state", l.State.Offset},
			Field{"epochs", len(l.Epochs)}, Field{"gaps", len(l.Gaps)}, Field{"sparse", l.Sparse}, Field{"loose", l.Loose})
		if err != nil {
			return err
		}
	}
	return nil
}
