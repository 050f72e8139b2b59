package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
)

// commit writes what plans decided, all of it or nothing. Where records cannot be
// written, for a reason of their topics, their runs have failed, and the plans are
// made again with that. An error is one of ours: what is known is to be loaded
// anew.
func (r *runner) commit(ctx context.Context, plans []*plan) error {
	for {
		var changed []*plan
		for _, p := range plans {
			if p.changed {
				changed = append(changed, p)
			}
		}
		if len(changed) == 0 {
			return nil
		}
		failed, err := r.transaction(ctx, changed)
		if err != nil {
			return err
		}
		if len(failed) == 0 {
			break
		}
		for p, outputs := range failed {
			for of, err := range outputs {
				p.fails[of] = err
			}
			r.decide(p)
		}
	}
	for _, p := range plans {
		switch {
		case p.def == nil:
			delete(r.states, p.key)
		case p.changed:
			r.states[p.key] = p.state
		}
	}
	return nil
}

// refusals are the records of plans that their topics did not take.
type refusals map[*plan]map[output]error

// renewed are topics that are others than the client takes them for: they were
// deleted and made again, which it does not find out by itself.
func (f refusals) renewed(plans []*plan) []string {
	var out []string
	for _, p := range plans {
		for _, w := range p.outputs {
			err := f[p][w.output]
			if (errors.Is(err, kerr.UnknownTopicID) || errors.Is(err, kerr.UnknownTopicOrPartition)) && !slices.Contains(out, w.record.Topic) {
				out = append(out, w.record.Topic)
			}
		}
	}
	return out
}

// transaction is one attempt of commit.
func (r *runner) transaction(ctx context.Context, plans []*plan) (refusals, error) {
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	var mu sync.Mutex // guards what promises write
	failed, own := refusals{}, error(nil)
	if err := r.client.BeginTransaction(); err != nil {
		return nil, fmt.Errorf("begin a transaction: %w", err)
	}
	var written []*kgo.Record
	for _, p := range plans {
		state, err := p.stateRecord(r.partition)
		if err != nil {
			return nil, err
		}
		written = append(written, state)
		r.client.Produce(ctx, state, func(_ *kgo.Record, err error) {
			mu.Lock()
			defer mu.Unlock()
			own = errors.Join(own, err)
		})
		for _, w := range p.outputs {
			written = append(written, w.record)
			r.client.Produce(ctx, w.record, func(_ *kgo.Record, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err != nil && failed[p] == nil {
					failed[p] = map[output]error{}
				}
				if err != nil {
					failed[p][w.output] = err
				}
			})
		}
	}
	if err := r.client.Flush(ctx); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(failed) > 0 {
		if err := r.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
			return nil, fmt.Errorf("take back a transaction: %w", err)
		}
		r.client.PurgeTopicsFromProducing(failed.renewed(plans)...)
		return failed, nil
	}
	if own != nil {
		return nil, fmt.Errorf("write to %s: %w", StateTopic, own)
	}
	if err := commit.Commit(ctx, r.client, written...); err != nil {
		return nil, fmt.Errorf("end a transaction: %w", err)
	}
	return nil, nil
}

// stateRecord is what is known of the schedule after the plan.
func (p *plan) stateRecord(partition int32) (*kgo.Record, error) {
	rec := &kgo.Record{Topic: StateTopic, Partition: partition, Key: []byte(p.key)}
	if p.def == nil {
		return rec, nil // a tombstone
	}
	b, err := json.Marshal(p.state)
	if err != nil {
		return nil, fmt.Errorf("write the state of %s: %w", p.key, err)
	}
	rec.Value = b
	return rec, nil
}
