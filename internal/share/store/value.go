package store

import (
	"encoding/binary"
	"fmt"

	"ottla/internal/share"
	"ottla/internal/uuid"
)

// Types of records, as the int16 that a key begins with.
const (
	snapshotType int16 = 0
	updateType   int16 = 1
)

// notBeforeTag to holderTag are our tagged fields of a state batch, eight bytes
// each; doneTag is Kafka's of a value (KIP-1226).
const (
	notBeforeTag = 100
	untilTag     = 101
	keyLockTag   = 102
	holderTag    = 103
	doneTag      = 0
)

// Snapshot is the value of a SHARE_SNAPSHOT. Done is -1 when not known.
type Snapshot struct {
	Epoch                   int32
	StateEpoch, LeaderEpoch int32
	Start                   int64
	Done                    int32
	CreatedMs, WrittenMs    int64
	Rows                    []share.Stored
}

// Update is the value of a SHARE_UPDATE. Start is -1 when it did not move.
type Update struct {
	Epoch       int32
	LeaderEpoch int32
	Start       int64
	Done        int32
	Rows        []share.Stored
}

func appendKey(b []byte, kind int16, k Key) []byte {
	b = binary.BigEndian.AppendUint16(b, uint16(kind))
	b = binary.BigEndian.AppendUint16(b, uint16(len(k.Group)))
	b = append(b, k.Group...)
	b = append(b, k.TopicID[:]...)
	return binary.BigEndian.AppendUint32(b, uint32(k.Partition))
}

func parseKey(b []byte) (int16, Key, error) {
	r := read(b)
	kind := r.Int16()
	if kind != snapshotType && kind != updateType {
		return kind, Key{}, fmt.Errorf("share state key of type %d, 0 and 1 are known", kind)
	}
	k := Key{Group: string(r.Take(int(r.Int16())))}
	if id := r.Take(len(uuid.UUID{})); id != nil {
		k.TopicID = uuid.UUID(id)
	}
	k.Partition = r.Int32()
	if r.Err != nil {
		return kind, Key{}, fmt.Errorf("share state key of %d bytes: %w", len(b), r.Err)
	}
	return kind, k, nil
}

// AppendSnapshot writes version 0.
func AppendSnapshot(b []byte, v *Snapshot) []byte {
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(v.Epoch))
	b = binary.BigEndian.AppendUint32(b, uint32(v.StateEpoch))
	b = binary.BigEndian.AppendUint32(b, uint32(v.LeaderEpoch))
	b = binary.BigEndian.AppendUint64(b, uint64(v.Start))
	b = binary.BigEndian.AppendUint64(b, uint64(v.CreatedMs))
	b = binary.BigEndian.AppendUint64(b, uint64(v.WrittenMs))
	return appendDone(appendRows(b, v.Rows), v.Done)
}

// ParseSnapshot reads version 0.
func ParseSnapshot(b []byte) (Snapshot, error) {
	r := read(b)
	if version := r.Int16(); r.Err == nil && version != 0 {
		return Snapshot{}, fmt.Errorf("share snapshot of version %d, 0 is known", version)
	}
	v := Snapshot{Epoch: r.Int32(), StateEpoch: r.Int32(), LeaderEpoch: r.Int32(), Start: r.Int64(), CreatedMs: r.Int64(), WrittenMs: r.Int64()}
	v.Rows = r.rows()
	v.Done = r.done()
	if r.Err != nil {
		return Snapshot{}, fmt.Errorf("share snapshot of %d bytes: %w", len(b), r.Err)
	}
	return v, nil
}

// AppendUpdate writes version 0.
func AppendUpdate(b []byte, v *Update) []byte {
	b = append(b, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(v.Epoch))
	b = binary.BigEndian.AppendUint32(b, uint32(v.LeaderEpoch))
	b = binary.BigEndian.AppendUint64(b, uint64(v.Start))
	return appendDone(appendRows(b, v.Rows), v.Done)
}

// ParseUpdate reads version 0.
func ParseUpdate(b []byte) (Update, error) {
	r := read(b)
	if version := r.Int16(); r.Err == nil && version != 0 {
		return Update{}, fmt.Errorf("share update of version %d, 0 is known", version)
	}
	v := Update{Epoch: r.Int32(), LeaderEpoch: r.Int32(), Start: r.Int64()}
	v.Rows = r.rows()
	v.Done = r.done()
	if r.Err != nil {
		return Update{}, fmt.Errorf("share update of %d bytes: %w", len(b), r.Err)
	}
	return v, nil
}

func appendRows(b []byte, rows []share.Stored) []byte {
	b = binary.AppendUvarint(b, uint64(len(rows)+1))
	for i := range rows {
		r := &rows[i]
		b = binary.BigEndian.AppendUint64(b, uint64(r.First))
		b = binary.BigEndian.AppendUint64(b, uint64(r.Last))
		b = append(b, byte(r.State))
		b = binary.BigEndian.AppendUint16(b, uint16(r.Count))
		b = appendTags(b, uint64(r.NotBeforeMs), uint64(r.UntilMs), r.KeyLock, r.Holder)
	}
	return b
}

// appendTags ends a state batch with those of our tagged fields that are not 0.
func appendTags(b []byte, values ...uint64) []byte {
	at := len(b)
	b = append(b, 0)
	for i, v := range values {
		if v != 0 {
			b[at]++
			b = append(b, notBeforeTag+byte(i), 8)
			b = binary.BigEndian.AppendUint64(b, v)
		}
	}
	return b
}

// appendDone ends a value with its tagged fields.
func appendDone(b []byte, done int32) []byte {
	if done == -1 {
		return append(b, 0)
	}
	return binary.BigEndian.AppendUint32(append(b, 1, doneTag, 4), uint32(done))
}

// leastRow is how many bytes a state batch takes at least.
const leastRow = 20

func (r *reader) rows() []share.Stored {
	n := r.MaybeCount(true, leastRow)
	if n == 0 {
		return nil
	}
	out := make([]share.Stored, 0, n)
	for range n {
		row := share.Stored{First: r.Int64(), Last: r.Int64(), State: share.State(r.Int8()), Count: r.Int16()}
		r.Tags(func(tag int, b []byte) {
			if len(b) != 8 {
				return
			}
			switch v := binary.BigEndian.Uint64(b); tag {
			case notBeforeTag:
				row.NotBeforeMs = int64(v)
			case untilTag:
				row.UntilMs = int64(v)
			case keyLockTag:
				row.KeyLock = v
			case holderTag:
				row.Holder = v
			}
		})
		out = append(out, row)
	}
	return out
}

func (r *reader) done() int32 {
	done := int32(-1)
	r.Tags(func(tag int, b []byte) {
		if tag == doneTag && len(b) == 4 {
			done = int32(binary.BigEndian.Uint32(b))
		}
	})
	return done
}
