package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/test/rig/sharer"
)

// member is one member of a share group, whose doings are in the ledger.
type member struct {
	*sharer.Member
	l *ledger
	r *rand.Rand
}

func newMember(addr, group, topic, id string, l *ledger, r *rand.Rand) (*member, error) {
	m, err := sharer.New(sharer.Options{Addrs: []string{addr}, Group: group, Topic: topic, ID: id})
	if err != nil {
		return nil, err
	}
	return &member{m, l, r}, nil
}

// how a member treats the records of one fetch.
type manner int

const (
	accepts manner = iota
	releases
	slow
	dies
)

var mannerNames = map[manner]string{accepts: "accepted", releases: "released", slow: "was slow", dies: "died"}

// lock is how long records are locked.
const lock = time.Second

// step does one round; false when the member has died.
func (m *member) step(ctx context.Context, how manner) (bool, error) {
	if err := m.Beat(ctx); err != nil {
		return true, err
	}
	if !m.Has() {
		return true, nil
	}
	b, err := m.Fetch(ctx, sharer.Want{Max: int32(1 + m.r.IntN(200)), Strict: m.r.IntN(2) == 1, Batch: 50, WaitMs: 200})
	var broken *sharer.Broken
	if errors.As(err, &broken) {
		m.l.broken(err)
	}
	if err != nil || len(b.Records) == 0 {
		return true, err
	}
	if err := m.note(b); err != nil {
		m.l.broken(err)
		return true, err
	}
	m.l.did(mannerNames[how])
	switch how {
	case dies:
		m.Cut()
		return false, nil
	case slow:
		select {
		case <-time.After(lock * 3 / 2):
		case <-ctx.Done():
			return true, nil
		}
	}
	return true, m.acknowledge(ctx, b, how)
}

// note tells the ledger what came.
func (m *member) note(b *sharer.Batch) error {
	for i := range b.Records {
		r := &b.Records[i]
		n, err := nameOf(string(r.Value))
		if err != nil {
			return err
		}
		m.l.delivered(n, place{r.Partition, r.Offset}, r.Count, b.Sent)
	}
	return nil
}

// acknowledge says what became of records: all accepted, or some released.
func (m *member) acknowledge(ctx context.Context, b *sharer.Batch, how manner) error {
	kinds := map[sharer.Place]int8{}
	taken := map[int32][]name{}
	for i := range b.Records {
		r := &b.Records[i]
		kinds[r.Place] = sharer.Accept
		if how == releases && m.r.IntN(3) == 0 {
			kinds[r.Place] = sharer.Release
			continue
		}
		n, err := nameOf(string(r.Value))
		if err != nil {
			return err
		}
		taken[r.Partition] = append(taken[r.Partition], n)
	}
	for _, names := range taken {
		m.l.trying(names, time.Now())
	}
	refused, err := m.Acknowledge(ctx, b, func(r *sharer.Record) int8 { return kinds[r.Place] })
	if err != nil {
		return err
	}
	now := time.Now()
	for partition, names := range taken {
		if why := refused[partition]; why == nil {
			m.l.confirmed(names, now)
		}
	}
	for _, why := range refused {
		if code := (*kerr.Error)(nil); errors.As(why, &code) {
			m.l.did("refused " + code.Message)
		}
	}
	return nil
}

// valueOf and nameOf write and read a record's value.
func valueOf(n name) []byte { return []byte(n.key + "#" + strconv.Itoa(n.seq)) }

func nameOf(value string) (name, error) {
	key, seq, ok := strings.Cut(value, "#")
	n, err := strconv.Atoi(seq)
	if !ok || err != nil {
		return name{}, fmt.Errorf("a record says %q", value)
	}
	return name{key, n}, nil
}
