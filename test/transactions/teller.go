package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/history"
	"ottla/test/history/client"
)

// tellers' inputs lie above those of plain producers; each process has a block.
const (
	firstOfTellers  = history.MaxInput / 2
	inputsOfTeller  = 1 << 14
	tellersAtMost   = firstOfTellers / inputsOfTeller
	pauseOfTellerMs = 40
)

// errAnew ends a client that has done what it was made for.
var errAnew = errors.New("the client's work is done")

// teller is a transactional producer that lets every kind of end happen.
type teller struct {
	*child
	cl     *kgo.Client
	inputs int64
	others uint32
}

func (c *child) tell(ctx context.Context) error {
	t := &teller{child: c}
	for ctx.Err() == nil {
		cl, err := kgo.NewClient(c.open()...)
		if err != nil {
			return fmt.Errorf("make a teller: %w", err)
		}
		t.cl = cl
		for ctx.Err() == nil {
			if err = t.transact(ctx); err != nil {
				break
			}
			pause(ctx, time.Duration(t.r.IntN(pauseOfTellerMs))*time.Millisecond)
		}
		t.cl.Close()
		if err != nil {
			if err := c.anew("tellers begun anew", err); err != nil {
				return err
			}
			pause(ctx, 50*time.Millisecond)
		}
	}
	return nil
}

// transact is one transaction. An error says that the client is of no use any
// more.
func (t *teller) transact(ctx context.Context) error {
	op, failed, err := t.fill(ctx)
	if err != nil {
		return err
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), endWithin)
	defer cancel()
	switch x := t.r.IntN(100); {
	case failed != nil: // not all were taken
		return t.abort(end, op, "tellers' transactions aborted after a failure")
	case x < 55:
		return t.commit(end, op, "tellers' transactions committed")
	case x < 80:
		return t.abort(end, op, "tellers' transactions aborted")
	case x < 84:
		return t.abandon(ctx, op)
	case x < 88:
		return t.late(ctx, end, op)
	case x < 92:
		return t.forget(op)
	case x < 97:
		return t.fenced(end, op)
	}
	return t.race(end, op)
}

// fill begins a transaction and sends its records; it gives the failure of the
// sends apart, after which the transaction can still be aborted.
func (t *teller) fill(ctx context.Context) (op *history.Op, failed, err error) {
	if err := t.cl.BeginTransaction(); err != nil {
		return nil, nil, fmt.Errorf("begin: %w", err)
	}
	op = t.begin()
	var records []*kgo.Record
	add := func(topic string, value int64) {
		p := t.r.Int32N(t.Partitions)
		op.Micro = append(op.Micro, send(topic, p, value))
		records = append(records, &kgo.Record{Topic: topic, Partition: p, Value: client.Encode(value, 60)})
	}
	for range 1 + t.r.IntN(6) {
		if t.r.IntN(3) == 0 && t.inputs < inputsOfTeller {
			add(t.In, firstOfTellers+int64(t.Process)%tellersAtMost*inputsOfTeller+t.inputs)
			t.inputs++
			continue
		}
		add(t.Out[0].Topic, history.Apart(t.Process, t.others))
		t.others++
	}
	if err := t.will(history.Fail, op); err != nil {
		return nil, nil, err
	}
	return op, t.produce(ctx, t.cl, op, 0, records), nil
}

func (t *teller) commit(ctx context.Context, op *history.Op, count string) error {
	if err := t.will(history.Info, op); err != nil {
		return err
	}
	if err := t.cl.EndTransaction(ctx, kgo.TryCommit); err != nil {
		if sayErr := t.did(history.Info, "tellers' commits that failed", op); sayErr != nil {
			return sayErr
		}
		return fmt.Errorf("commit: %w", err)
	}
	return t.did(history.OK, count, op)
}

func (t *teller) abort(ctx context.Context, op *history.Op, count string) error {
	err := t.cl.EndTransaction(ctx, kgo.TryAbort)
	if sayErr := t.did(history.Fail, count, op); sayErr != nil {
		return sayErr
	}
	if err != nil {
		return fmt.Errorf("abort: %w", err)
	}
	return nil
}

// abandon leaves the transaction open until it has timed out; the client that
// comes next must find nothing in its way.
func (t *teller) abandon(ctx context.Context, op *history.Op) error {
	pause(ctx, time.Duration(t.TimeoutMs)*time.Millisecond+2*time.Second)
	if err := t.did(history.Fail, "tellers' transactions abandoned to the time-out", op); err != nil {
		return err
	}
	return errAnew
}

// late commits after the time-out: the broker may have aborted it or not.
func (t *teller) late(ctx, end context.Context, op *history.Op) error {
	pause(ctx, time.Duration(t.TimeoutMs)*time.Millisecond+time.Duration(t.r.IntN(2000))*time.Millisecond)
	return t.commit(end, op, "tellers' commits after the time-out that were taken")
}

// forget closes the client with the transaction open: the next one, with the
// same transactional id, has it aborted.
func (t *teller) forget(op *history.Op) error {
	if err := t.did(history.Fail, "tellers' transactions left open at the client's end", op); err != nil {
		return err
	}
	return errAnew
}

// fenced starts a twin with the same transactional id; when the twin is ready
// the transaction is over, and its commit must be refused.
func (t *teller) fenced(ctx context.Context, op *history.Op) error {
	twin, err := t.twin(ctx)
	if err != nil {
		return t.abort(ctx, op, "twins that failed")
	}
	if err := t.cl.EndTransaction(ctx, kgo.TryCommit); err == nil {
		if err := t.say(line{Broken: fmt.Sprintf("%s committed a transaction after a twin had been given its id", t.ID)}); err != nil {
			return err
		}
	}
	err = t.did(history.Fail, "tellers' commits fenced by a twin", op)
	t.cl.Close()
	t.cl = twin
	return err
}

// race starts the twin while the commit is under way.
func (t *teller) race(ctx context.Context, op *history.Op) error {
	type result struct {
		twin *kgo.Client
		err  error
	}
	ready := make(chan result, 1)
	go func() {
		twin, err := t.twin(ctx)
		ready <- result{twin, err}
	}()
	err := t.commit(ctx, op, "tellers' commits that won against a twin")
	r := <-ready
	if r.err != nil {
		return err
	}
	t.cl.Close()
	t.cl = r.twin
	return nil
}

// twin is another client with the same transactional id that has its producer
// id already.
func (t *teller) twin(ctx context.Context) (*kgo.Client, error) {
	twin, err := kgo.NewClient(t.open()...)
	if err != nil {
		return nil, fmt.Errorf("make a twin: %w", err)
	}
	if _, _, err := twin.ProducerID(ctx); err != nil {
		twin.Close()
		return nil, fmt.Errorf("start a twin: %w", err)
	}
	return twin, nil
}
