package schedule

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

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
			maps.Copy(p.fails, outputs)
		}
		for _, p := range changed { // all: what was written once has a place that it may not have again
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
	if err := r.client.BeginTransaction(); err != nil {
		return nil, fmt.Errorf("begin a transaction: %w", err)
	}
	w := &writing{r: r, ctx: ctx, bytes: map[string]int{}, failed: refusals{}}
	all, err := w.plans(plans)
	if errors.Is(err, errTakeBack) {
		if err := r.client.EndTransaction(ctx, kgo.TryAbort); err != nil {
			return nil, fmt.Errorf("take back a transaction: %w", err)
		}
		r.client.PurgeTopicsFromProducing(w.failed.renewed(plans)...)
		return w.failed, nil
	}
	if err != nil {
		return nil, err
	}
	if err := commit.Commit(ctx, r.client, all...); err != nil {
		return nil, fmt.Errorf("end a transaction: %w", err)
	}
	return nil, nil
}

// plans writes plans, whole.
func (w *writing) plans(plans []*plan) (all []*kgo.Record, err error) {
	for _, p := range plans {
		state, err := p.stateRecord(w.r.partition, w.r.s.o.Now())
		if err != nil {
			return nil, err
		}
		all = append(all, state)
		if err := w.state(state); err != nil {
			return nil, err
		}
		for _, out := range p.outputs {
			all = append(all, out.record)
			if err := w.output(p, out); err != nil {
				return nil, err
			}
		}
	}
	return all, w.flush()
}

// stateRecord is what is known of the schedule after the plan.
func (p *plan) stateRecord(partition int32, now time.Time) (*kgo.Record, error) {
	rec := &kgo.Record{Topic: StateTopic, Partition: partition, Key: []byte(p.key), Timestamp: now}
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
