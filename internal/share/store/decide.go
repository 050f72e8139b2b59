package store

import (
	"slices"

	"ottla/internal/coordinator"
	"ottla/internal/share"
	"ottla/internal/wire"
)

// turn is one Step in the making.
type turn struct {
	m     *Machine
	token coordinator.Token
	nowMs int64
	out   coordinator.Output
}

func (t *turn) answer(body any) {
	if t.token != 0 {
		t.out.Replies = append(t.out.Replies, coordinator.Reply{Token: t.token, Body: body})
	}
}

func (t *turn) write(key, value []byte) {
	t.out.Records = append(t.out.Records, coordinator.Record{Key: key, Value: value})
}

// check refuses keys that no share-partition has.
func (k *Key) check() error {
	if k.Group == "" || k.Partition < 0 || k.TopicID.IsZero() {
		return wire.Errorf(wire.InvalidRequest, "a share-partition needs a group, a topic id and a partition: %q", k.String())
	}
	return nil
}

// initialize steps an Initialize.
func (t *turn) initialize(c *Initialize) error {
	if err := c.Key.check(); err != nil {
		return err
	}
	v := Snapshot{StateEpoch: c.StateEpoch, LeaderEpoch: max(c.LeaderEpoch, -1), Start: c.Start, Done: -1, CreatedMs: t.nowMs, WrittenMs: t.nowMs}
	if c.Start >= 0 {
		v.Done = 0
	}
	if s := t.m.states[c.Key]; s != nil {
		switch {
		case c.StateEpoch < s.stateEpoch:
			return fencedState(c.Key, c.StateEpoch, s.stateEpoch)
		case c.LeaderEpoch >= 0 && c.LeaderEpoch < s.leaderEpoch:
			return fencedLeader(c.Key, c.LeaderEpoch, s.leaderEpoch)
		}
		v.Epoch, v.LeaderEpoch, v.CreatedMs = s.snapshot+1, max(c.LeaderEpoch, s.leaderEpoch), s.createdMs
	}
	t.write(appendKey(nil, snapshotType, c.Key), AppendSnapshot(nil, &v))
	t.answer(nil)
	return nil
}

// read steps a Read.
func (t *turn) read(c *Read) error {
	if err := c.Key.check(); err != nil {
		return err
	}
	s := t.m.states[c.Key]
	if s == nil && !c.OrNone {
		return wire.Errorf(wire.InvalidRequest, "Read operation on uninitialized share partition not allowed.")
	}
	if s == nil {
		t.answer(State{Start: -1})
		return nil
	}
	if c.LeaderEpoch >= 0 && c.LeaderEpoch < s.leaderEpoch {
		return fencedLeader(c.Key, c.LeaderEpoch, s.leaderEpoch)
	}
	if c.LeaderEpoch > s.leaderEpoch {
		t.store(c.Key, s, &Update{Epoch: s.snapshot, LeaderEpoch: c.LeaderEpoch, Start: -1, Done: s.done})
	}
	t.answer(State{StateEpoch: s.stateEpoch, Start: s.start, Rows: append([]share.Stored(nil), s.rows...)})
	return nil
}

// put steps a Put.
func (t *turn) put(c *Put) error {
	if err := c.Key.check(); err != nil {
		return err
	}
	s := t.m.states[c.Key]
	switch {
	case s == nil:
		return wire.Errorf(wire.InvalidRequest, "Write operation on uninitialized share partition not allowed.")
	case c.LeaderEpoch >= 0 && c.LeaderEpoch < s.leaderEpoch:
		return fencedLeader(c.Key, c.LeaderEpoch, s.leaderEpoch)
	case c.StateEpoch < s.stateEpoch:
		return fencedState(c.Key, c.StateEpoch, s.stateEpoch)
	}
	for i := range c.Rows {
		if r := &c.Rows[i]; r.First < 0 || r.Last < r.First || r.Count < 0 || r.State < share.Available || r.State > share.Archived {
			return wire.Errorf(wire.InvalidRequest, "a state batch of %s is impossible: offsets %d to %d, state %d, delivery count %d",
				c.Key, r.First, r.Last, r.State, r.Count)
		}
	}
	t.store(c.Key, s, &Update{Epoch: s.snapshot, LeaderEpoch: max(c.LeaderEpoch, s.leaderEpoch), Start: c.Start, Done: c.Done, Rows: c.Rows})
	t.answer(nil)
	return nil
}

// store writes a change, as an update, or as a snapshot when there were enough
// updates.
func (t *turn) store(key Key, s *state, u *Update) {
	if s.updates < t.m.s.SnapshotEvery {
		t.write(appendKey(nil, updateType, key), AppendUpdate(nil, u))
		return
	}
	v := s.whole()
	v.Epoch, v.LeaderEpoch, v.Done, v.WrittenMs = s.snapshot+1, u.LeaderEpoch, u.Done, t.nowMs
	if u.Start >= 0 {
		v.Start = u.Start
	}
	v.Rows = overlay(append([]share.Stored(nil), s.rows...), u.Rows, v.Start)
	t.write(appendKey(nil, snapshotType, key), AppendSnapshot(nil, &v))
}

// whole is a state as a snapshot has it; the rows are shared.
func (s *state) whole() Snapshot {
	return Snapshot{
		Epoch: s.snapshot, StateEpoch: s.stateEpoch, LeaderEpoch: s.leaderEpoch, Start: s.start, Done: s.done,
		CreatedMs: s.createdMs, WrittenMs: s.writtenMs, Rows: s.rows,
	}
}

// delete steps a Delete.
func (t *turn) delete(c *Delete) {
	if t.m.states[c.Key] != nil {
		t.write(appendKey(nil, snapshotType, c.Key), nil)
	}
	t.answer(nil)
}

// fullAt bounds the tombstones that one turn writes, so that they fit in a
// batch.
const fullAt = 1000

// forget steps a Forget.
func (t *turn) forget(c *Forget) {
	more := false
	for _, k := range t.m.Keys() {
		if !slices.Contains(c.Topics, k.TopicID) {
			continue
		}
		if more = len(t.out.Records) >= fullAt; more {
			break
		}
		t.write(appendKey(nil, snapshotType, k), nil)
	}
	t.answer(more)
}

// summarize steps a Summarize.
func (t *turn) summarize(c *Summarize) error {
	if err := c.Key.check(); err != nil {
		return err
	}
	s := t.m.states[c.Key]
	if s == nil {
		t.answer(Summary{LeaderEpoch: -1, Start: -1, Done: -1})
		return nil
	}
	t.answer(Summary{Known: true, StateEpoch: s.stateEpoch, LeaderEpoch: s.leaderEpoch, Start: s.start, Done: s.done})
	return nil
}

func fencedLeader(k Key, got, want int32) error {
	return wire.Errorf(wire.FencedLeaderEpoch, "the share-partition %s has a leader of epoch %d; %d is over", k, want, got)
}

func fencedState(k Key, got, want int32) error {
	return wire.Errorf(wire.FencedStateEpoch, "the share-partition %s was initialised anew: its state epoch is %d, not %d", k, want, got)
}
