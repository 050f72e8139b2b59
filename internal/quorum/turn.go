package quorum

import (
	"errors"
	"fmt"
	"time"

	"go.etcd.io/raft/v3"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// turn takes commands, in order: each is decided by the machine, which has
// the accepted records of those before it; all that they write shares one
// write and one sync; replies leave when everything they saw is committed. An
// error of the machine is the refusal of that command alone.
func (m *member) turn(now time.Time, requests []request) {
	err := m.ready(now)
	m.tail = entryEnd{m.store.index.last(), m.store.index.end()}
	for _, r := range requests {
		if err != nil {
			r.to <- result{err: err}
			continue
		}
		m.decide(now, r)
	}
	if err == nil {
		m.settle(m.drive(now))
	}
}

// ready tells whether commands can be taken; a sole voter that lost its place
// (a disk that was full) tries to get it back first.
func (m *member) ready(now time.Time) error {
	if m.failed == nil && !m.leading && m.alone() {
		if err := m.campaign(now); err != nil {
			m.lose(err)
			m.release()
		}
		m.tell()
	}
	switch {
	case m.failed != nil:
		return &wire.Error{Code: wire.KafkaStorageError, Message: "the metadata log failed; the broker's log says why", Cause: m.failed}
	case !m.leading:
		return m.notLeading()
	}
	return nil
}

// decide lets the machine decide one command and accepts its records.
func (m *member) decide(now time.Time, r request) {
	records, reply, err := m.o.Machine.Step(now, r.cmd)
	if err == nil && len(records) > 0 {
		err = m.accept(now, records)
	}
	if err != nil {
		reply = nil
	}
	// A refusal waits too: it may rest on what is not committed yet.
	m.waiters = append(m.waiters, waiter{index: m.tail.index, term: m.termAt(m.tail.index), reply: reply, err: err, to: r.to})
}

// accept gives a command's records their place in the log: one batch, one
// entry. After it they count for every later command.
func (m *member) accept(now time.Time, records []metadata.Record) error {
	batch := recordBatch(m.tail.offset, int32(m.store.hard.term), now.UnixMilli(), records)
	if len(batch) > maxBatchBytes {
		return wire.Errorf(wire.RecordListTooLarge, "the request needs %d bytes in the metadata log, and one step may have %d: split it", len(batch), maxBatchBytes)
	}
	if err := m.raw.Propose(batch); err != nil {
		if errors.Is(err, raft.ErrProposalDropped) {
			return wire.Errorf(wire.NotController, "the metadata quorum does not take changes at the moment: %w", err)
		}
		return err
	}
	for _, rec := range records {
		m.o.Machine.Apply(rec)
	}
	m.tail.index++
	m.tail.offset += int64(len(records))
	return nil
}

// follow notes who leads; a leader that is none any more forgets what was not
// committed.
func (m *member) follow() {
	s := m.raw.BasicStatus()
	if m.leader = m.voters.node(s.Lead); m.leader >= 0 {
		m.heir = 0
	}
	if m.leading && s.RaftState != raft.StateLeader {
		m.leading = false
		m.o.Machine.Reset(m.image)
		m.orphans = max(m.ticks, 1)
		m.refuseOrders(m.notLeading())
		clear(m.shipments)
	}
}

const (
	// heirTicks is how long the voters give each other when the leader is known to
	// have ended: who comes later stands for election only where the ones before
	// did not get it.
	heirTicks = 3
	// heirPatience ends that; silence decides then, as ever.
	heirPatience = electionTicks
)

// ended is told that the process of a node has ended, as far as this one can tell.
// Where that led, nobody waits until it has been silent for long: the voters
// forget it, so that they may vote, and stand for election one after the other.
// If it lives all the same, those who hear it vote for nobody, and it leads on.
func (m *member) ended(now time.Time, node int32) {
	if !m.able() || node == m.o.NodeID || m.voters.node(m.raw.BasicStatus().Lead) != node {
		return
	}
	m.heir = 0
	if _, votes := m.voters.byID[m.id]; votes {
		before := 0
		for _, v := range m.voters.list() {
			if v.ID < m.o.NodeID && v.ID != node {
				before++
			}
		}
		m.heir = m.ticks + 1 + uint64(before)*heirTicks
	}
	m.settle(m.guard(func() error {
		if err := m.raw.ForgetLeader(); err != nil {
			return fmt.Errorf("forget a leader that has ended: %w", err)
		}
		m.follow()
		if m.heir == m.ticks+1 {
			return m.stand(now)
		}
		return m.drive(now)
	}))
}

// stand is a voter's turn, each tick until somebody leads.
func (m *member) stand(now time.Time) error {
	s := m.raw.BasicStatus()
	switch {
	case s.Lead != raft.None || m.ticks > m.heir+heirPatience:
		m.heir = 0
		return nil
	case s.RaftState == raft.StateCandidate:
		return nil // votes are on their way
	}
	if err := m.raw.Campaign(); err != nil {
		return fmt.Errorf("begin an election of the metadata quorum: %w", err)
	}
	return m.drive(now)
}

// tell lets the node know who leads.
func (m *member) tell() {
	l := leads{m.leader, int32(m.store.hard.term)}
	if l.leader == m.o.NodeID && !m.leading {
		l.leader = -1 // it does not serve yet
	}
	if l != m.told {
		if l.leader != m.told.leader && !m.byItself() {
			m.o.Logger.Info("the metadata quorum is led", "leader", l.leader, "leader_epoch", l.epoch)
		}
		m.told = l
		m.o.OnLeader(l.leader, l.epoch)
	}
}
