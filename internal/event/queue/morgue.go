package queue

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/kafka/shares"
	"ottla/internal/metric"
	"ottla/internal/record"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// Morgue writes dead letters: shares.Morgue. A share-partition has a mover of
// its own; where there are no dead letters there is none.
type Morgue struct {
	open func(opts ...kgo.Opt) (*kgo.Client, error)
	most func(topic string) int // that a batch may have
	// topic names a topic by its id.
	topic func(key store.Key) (string, bool)
	// Written counts letters, by the topic that their records are of. It is set
	// before the first is written.
	Written *metric.Counters

	mu  sync.Mutex // guards the map; held for moments
	of  map[store.Key]*undertaker
	end bool
}

var _ shares.Morgue = (*Morgue)(nil)

// undertaker is the mover of one share-partition.
type undertaker struct {
	mu     sync.Mutex // held by whoever moves
	mover  mover
	state  int32          // the epoch of the state that mover has begun with
	buried map[int64]bool // the last step's, while mover has begun
}

// NewMorgue makes a morgue; Close must follow. Topic names the topic of a
// share-partition, most is what a batch of a topic may have.
func NewMorgue(open func(opts ...kgo.Opt) (*kgo.Client, error), topic func(key store.Key) (string, bool), most func(topic string) int) *Morgue {
	return &Morgue{open: open, topic: topic, most: most, of: map[store.Key]*undertaker{}}
}

func (m *Morgue) undertaker(key store.Key) (*undertaker, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.end {
		return nil, errClosing
	}
	u := m.of[key]
	if u == nil {
		u = &undertaker{mover: mover{open: m.open, most: m.most, txnID: "ottla-dead-" + key.String(), group: "ottla-dead." + key.Group}}
		m.of[key] = u
	}
	return u, nil
}

var errClosing = errors.New("the node stops")

// Buried implements shares.Morgue.
func (m *Morgue) Buried(ctx context.Context, key store.Key, state int32) (map[int64]bool, error) {
	u, err := m.undertaker(key)
	if err != nil {
		return nil, err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.mover.ready() && u.state == state {
		return u.buried, nil
	}
	topic, ok := m.topic(key)
	if !ok {
		return nil, fmt.Errorf("the topic with id %s: %w", key.TopicID, wire.UnknownTopicOrPartition)
	}
	moved, err := u.mover.begin(ctx, topic, burialMark(key, state))
	if err != nil {
		return nil, err
	}
	u.state, u.buried = state, moved[key.Partition]
	return u.buried, nil
}

// Bury implements shares.Morgue.
func (m *Morgue) Bury(ctx context.Context, key store.Key, state int32, topic string, partition int32, offsets []int64, batches [][]byte) error {
	u, err := m.undertaker(key)
	if err != nil {
		return err
	}
	from, ok := m.topic(key)
	if !ok {
		return fmt.Errorf("the topic with id %s: %w", key.TopicID, wire.UnknownTopicOrPartition)
	}
	records, err := recordsOf(topic, partition, batches)
	if err != nil {
		return err
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	err = u.mover.step(ctx, source{from, key.TopicID, key.Partition, burialMark(key, state)}, offsets, records)
	switch {
	case errors.Is(err, kerr.MessageTooLarge), errors.Is(err, kerr.RecordListTooLarge):
		return wire.Errorf(wire.MessageTooLarge, "%w", err)
	case errors.Is(err, kerr.InvalidRecord):
		return wire.Errorf(wire.InvalidRecord, "%w", err)
	case err == nil: // should storing that they are archived fail, they are asked for again
		m.Written.Of(from).Add(len(offsets))
		u.buried = map[int64]bool{}
		for _, at := range offsets {
			u.buried[at] = true
		}
	}
	return err
}

// burialMark is what offsets that have letters are noted with: a topic that was made
// anew, and a state that was reset, give records up anew.
func burialMark(key store.Key, state int32) string {
	return key.TopicID.String() + "/" + strconv.Itoa(int(state))
}

// recordsOf takes the records out of batches.
func recordsOf(topic string, partition int32, batches [][]byte) ([]*kgo.Record, error) {
	var out []*kgo.Record
	for _, b := range batches {
		h, err := record.ParseHeader(b)
		if err != nil {
			return nil, err
		}
		err = record.Walk(b, 0, func(x *record.Record) bool {
			r := &kgo.Record{Topic: topic, Partition: partition, Key: clone(x.Key), Value: clone(x.Value), Timestamp: msTime(x.TimeMs(&h))}
			for i := range x.Headers {
				r.Headers = append(r.Headers, kgo.RecordHeader{Key: x.Headers[i].Key, Value: clone(x.Headers[i].Value)})
			}
			out = append(out, r)
			return true
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Close lets go of all movers.
func (m *Morgue) Close() {
	m.mu.Lock()
	m.end = true
	all := m.of
	m.of = map[store.Key]*undertaker{}
	m.mu.Unlock()
	for _, u := range all {
		u.mu.Lock()
		u.mover.close()
		u.mu.Unlock()
	}
}
