package persist

import (
	"encoding/binary"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/share"
)

// Tagged fields of ours. A state batch has those of the records of the topic,
// eight bytes each: when it may be given out, until when it is leased, which key
// it keeps locked, who has leased it. In a partition of InitializeShareGroupState: the epoch of the
// leader who asks. In a partition of ReadShareGroupState: no state is no error.
// In one of ReadShareGroupStateSummary: the same field shall be in the answer,
// where it says that there is a state.
const (
	tagNotBefore   = 100
	tagUntil       = 101
	tagKeyLock     = 102
	tagHolder      = 103
	tagLeaderEpoch = 1000
	tagOrNone      = 1001
	tagKnown       = 1002
)

// SetRow puts into the tags of a state batch what Kafka's fields do not say.
func SetRow(t *kmsg.Tags, r *share.Stored) {
	set := func(tag uint32, v uint64) {
		if v != 0 {
			t.Set(tag, binary.BigEndian.AppendUint64(nil, v))
		}
	}
	set(tagNotBefore, uint64(r.NotBeforeMs))
	set(tagUntil, uint64(r.UntilMs))
	set(tagKeyLock, r.KeyLock)
	set(tagHolder, r.Holder)
}

// ReadRow reads it.
func ReadRow(t *kmsg.Tags, r *share.Stored) {
	t.Each(func(tag uint32, b []byte) {
		if len(b) != 8 {
			return
		}
		switch v := binary.BigEndian.Uint64(b); tag {
		case tagNotBefore:
			r.NotBeforeMs = int64(v)
		case tagUntil:
			r.UntilMs = int64(v)
		case tagKeyLock:
			r.KeyLock = v
		case tagHolder:
			r.Holder = v
		}
	})
}

// LeaderEpoch reads who initialises a state, -1 when it is no leader.
func LeaderEpoch(t *kmsg.Tags) int32 {
	if b := find(t, tagLeaderEpoch); len(b) == 4 {
		return int32(binary.BigEndian.Uint32(b))
	}
	return -1
}

func setLeaderEpoch(t *kmsg.Tags, epoch int32) {
	if epoch >= 0 {
		t.Set(tagLeaderEpoch, binary.BigEndian.AppendUint32(nil, uint32(epoch)))
	}
}

// OrNone tells whether a reader takes no state for an answer.
func OrNone(t *kmsg.Tags) bool { return find(t, tagOrNone) != nil }

// AsksKnown tells whether a summary shall say if there is a state.
func AsksKnown(t *kmsg.Tags) bool { return find(t, tagKnown) != nil }

// SetKnown says it.
func SetKnown(t *kmsg.Tags, known bool) {
	b := byte(0)
	if known {
		b = 1
	}
	t.Set(tagKnown, []byte{b})
}

// known reads it.
func known(t *kmsg.Tags) bool {
	b := find(t, tagKnown)
	return len(b) == 1 && b[0] == 1
}

// find gives a tagged field, nil when it is not there.
func find(t *kmsg.Tags, tag uint32) (out []byte) {
	t.Each(func(k uint32, b []byte) {
		if k == tag {
			out = b
		}
	})
	return out
}
