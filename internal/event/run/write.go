package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/commit"
	"ottla/internal/event/parting"
	"ottla/internal/event/plan"
	"ottla/internal/event/run/course"
)

// refused are records that were not written, and why.
type refused struct {
	mu  sync.Mutex // guards of: clients tell from goroutines of their own
	of  map[*kgo.Record]error
	any error
}

func (f *refused) promise(r *kgo.Record, err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.of == nil {
		f.of = map[*kgo.Record]error{}
	}
	f.of[r], f.any = err, err
}

// get is what was refused so far: a client that was closed may go on telling.
func (f *refused) get() map[*kgo.Record]error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.of)
}

// failedError says that a turn was not written because of targets.
type failedError struct{ of map[string]failure }

// Error implements error.
func (e *failedError) Error() string {
	for key, f := range e.of {
		return fmt.Sprintf("%d targets did not take what was written, among them %s: %v", len(e.of), key, f.err)
	}
	return "targets did not take what was written"
}

// write writes a turn and notes in one transaction and begins to commit it: finish waits
// for that. What was begun before is finished first. After an error the walk is to be
// opened anew; a failedError names targets that are to blame.
func (w *walk) write(ctx context.Context, t *turn, notes []course.Note) error {
	if err := w.finish(); err != nil {
		return err
	}
	if len(t.failed) > 0 {
		return &failedError{t.failed}
	}
	ctx, cancel := context.WithTimeout(ctx, txnTimeout)
	defer cancel()
	if err := w.c.BeginTransaction(); err != nil {
		return fmt.Errorf("begin a transaction: %w", err)
	}
	w.begun = true
	own, err := w.records(notes)
	if err != nil {
		return err
	}
	var failed, lost refused
	for i := range t.outputs {
		w.c.Produce(ctx, t.outputs[i].record, failed.promise)
	}
	if !w.wary {
		w.produce(ctx, own, &lost)
	}
	if err := w.flush(ctx, t, &failed); err != nil {
		return err
	}
	if len(t.sends) > 0 {
		if w.sendAll(ctx, t); len(t.failed) > 0 {
			return &failedError{t.failed}
		}
	}
	if w.wary {
		w.produce(ctx, own, &lost)
	}
	within, end := context.WithTimeout(ctx, max(w.patience, time.Second))
	defer end()
	if err := w.c.Flush(within); err != nil { // targets wait for the end of the transaction
		return fmt.Errorf("write to %s: %w", StateTopic, err)
	}
	if lost.get() != nil {
		return fmt.Errorf("write to %s: %w", StateTopic, lost.any)
	}
	w.commit(t, own)
	return nil
}

func (w *walk) produce(ctx context.Context, records []*kgo.Record, lost *refused) {
	for _, r := range records {
		w.c.Produce(ctx, r, lost.promise)
	}
}

// records are notes as records of the state topic.
func (w *walk) records(notes []course.Note) ([]*kgo.Record, error) {
	var out []*kgo.Record
	for _, n := range notes {
		b, err := n.Bytes()
		if err != nil {
			return nil, err
		}
		out = append(out, &kgo.Record{Topic: StateTopic, Partition: w.r.statePartition, Key: []byte(n.Key), Value: b, Timestamp: w.r.s.o.Now()})
	}
	return out, nil
}

// flush waits until the turn's records are written, for as long as the walk's patience
// is. Then the client is closed: what it has not written by then has failed.
func (w *walk) flush(ctx context.Context, t *turn, failed *refused) error {
	within, cancel := context.WithTimeout(ctx, w.patience)
	defer cancel()
	slow := w.c.Flush(within)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if slow == nil && failed.get() == nil {
		return nil
	}
	w.lose()
	of := failed.get()
	for i := range t.outputs {
		o := &t.outputs[i]
		err := of[o.record]
		switch {
		case err == nil:
			continue
		case fenced(err):
			return fmt.Errorf("write to %s: %w", o.record.Topic, err)
		}
		t.fail(o.target, o.offset, w.blame(o.record.Topic, err))
	}
	if len(t.failed) == 0 {
		return fmt.Errorf("write to %s: %w", StateTopic, errors.Join(slow, kerr.RequestTimedOut))
	}
	return &failedError{t.failed}
}

// lose closes the client and waits until it has told what became of its records: it
// does that from a goroutine of its own, which Close does not wait for.
func (w *walk) lose() {
	c := w.c
	w.c, w.begun = nil, false
	c.Close()
	ctx, cancel := context.WithTimeout(context.Background(), abortWithin)
	defer cancel()
	_ = c.Flush(ctx) // whom it has not told of by then is not blamed, and is tried again
}

// errSlow says that nobody knows what is wrong with a topic.
var errSlow = errors.New("did not take it")

// blame says why a topic did not take a record.
func (w *walk) blame(topic string, err error) error {
	if p, ok := w.r.s.o.Topic(topic); !ok {
		return fmt.Errorf("topic %s: %w", topic, errNoTopic)
	} else if p.Ill != nil {
		return fmt.Errorf("topic %s: %w", topic, p.Ill)
	}
	if errors.Is(err, kgo.ErrClientClosed) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("topic %s %w within %v", topic, errSlow, w.patience)
	}
	return fmt.Errorf("topic %s: %w", topic, err)
}

// commit begins to commit what was written. The walk's cursor is beyond it from now on.
func (w *walk) commit(t *turn, own []*kgo.Record) {
	written := own
	seen := map[string]bool{}
	for i := range t.outputs {
		if r := t.outputs[i].record; !seen[r.Topic] {
			seen[r.Topic], written = true, append(written[:len(written):len(written)], r)
		}
	}
	ending := make(chan error, 1)
	w.ending, w.begun = ending, false
	c := w.c
	count := &w.r.s.count
	go func() {
		// Who goes on in the place of a runner that stops finds out what became of it.
		ctx, cancel := parting.Context(w.r.ctx, txnTimeout, abortWithin)
		defer cancel()
		err := commit.Commit(ctx, c, written...)
		if err == nil {
			count.matched.Add(t.matched)
			count.delivered.Add(len(t.outputs) + len(t.sends) - t.letters)
			count.letters.Add(t.letters)
			count.dropped.Add(len(t.drops))
		}
		ending <- err
	}()
}

// finish waits until what was begun is committed.
func (w *walk) finish() error {
	if w.ending == nil {
		return nil
	}
	err := <-w.ending
	w.ending = nil
	return committed(err)
}

func committed(err error) error {
	if err != nil {
		return fmt.Errorf("end a transaction: %w", err)
	}
	return nil
}

// only makes the table of a walk that has one target: false when it is not there.
func only(src *plan.Source, key string) (course.Table, *plan.Rule, *plan.Target) {
	table := make(course.Table, len(src.Rules))
	for i, r := range src.Rules {
		for k, g := range r.Targets {
			if g.Key != key {
				continue
			}
			table[i] = make([]int64, len(r.Targets))
			for j := range table[i] {
				table[i][j] = course.Never
			}
			table[i][k] = 0
			return table, r, g
		}
	}
	return nil, nil, nil
}
