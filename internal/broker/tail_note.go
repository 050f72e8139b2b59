package broker

import (
	"fmt"

	"ottla/internal/coordinator"
	"ottla/internal/wire"
)

var _ coordinator.Keeper = (*tail)(nil)

// Identity implements coordinator.Keeper: a topic of the same name has another
// id.
func (t *tail) Identity() string {
	d := t.p.Describe()
	return fmt.Sprintf("%s/%s-%d", d.ID, d.Topic, d.Index)
}

// Keep implements coordinator.Keeper.
func (t *tail) Keep(file []byte, offset int64) error {
	n := t.p.Note()
	if n == nil {
		return wire.NotLeaderOrFollower
	}
	return n.Keep(file, offset)
}

// Kept implements coordinator.Keeper.
func (t *tail) Kept(most int) ([]byte, error) {
	n := t.p.Note()
	if n == nil {
		return nil, wire.NotLeaderOrFollower
	}
	return n.Read(most)
}

// Continues implements coordinator.Keeper. That nothing was compacted since is
// the note's own business: it is dropped before.
func (t *tail) Continues(offset int64, epoch int32) bool {
	if offset < t.p.Offsets().LogStart {
		return false
	}
	found, end, err := t.p.EpochEnd(t.epoch, epoch)
	return err == nil && found == epoch && end >= offset
}
