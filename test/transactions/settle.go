package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/history"
	"ottla/test/realfault"
)

// How long the steps at the end of a run may take, each: until clients have ended,
// one of which may have begun to end a transaction (endWithin) just before; until
// no transaction is open any more; and until nothing is left to work on.
const (
	retireWithin = 2 * time.Minute
	stableWithin = 2 * time.Minute
	drainWithin  = 2 * time.Minute
)

// settle lets the work run out, waits until no transaction is open, reads
// everything and judges. The faults are over.
func (s *stage) settle(ctx context.Context) (*history.Report, error) {
	s.proxy.calm()
	if err := s.retire(ctx, "teller"); err != nil {
		return nil, err
	}
	for _, c := range s.crews {
		if err := c.StopProducers(); err != nil {
			return nil, err
		}
	}
	if err := s.stable(ctx); err != nil { // what tellers left open holds workers back
		return nil, err
	}
	if err := s.drained(ctx); err != nil {
		return nil, err
	}
	if err := s.retire(ctx, "worker"); err != nil {
		return nil, err
	}
	if err := s.stable(ctx); err != nil {
		return nil, err
	}
	for _, c := range s.crews {
		if err := errors.Join(c.Stop(), c.Final(ctx)); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(s.history.Close(), s.node.Stop()); err != nil {
		return nil, err
	}
	return s.judge()
}

func (s *stage) retire(ctx context.Context, kind string) error {
	ctx, cancel := context.WithTimeout(ctx, retireWithin)
	defer cancel()
	return s.team.retire(ctx, kind)
}

// stable waits until the last stable offset is the high watermark everywhere.
func (s *stage) stable(ctx context.Context) error {
	c, err := kgo.NewClient(kgo.SeedBrokers(s.proxy.address()), kgo.AlwaysRetryEOF())
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	var held []string
	for until := time.Now().Add(stableWithin); time.Now().Before(until); {
		if held, err = heldBack(ctx, admin, topicIn, topicMid, topicAudit, topicOut, topicLedger); err == nil && len(held) == 0 {
			return nil
		}
		if err := realfault.Pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	if err != nil {
		return fmt.Errorf("the offsets cannot be listed: %w", err)
	}
	return fmt.Errorf("transactions are open %v after the last one began, and their time-out is 3 s: %s; %s", stableWithin, strings.Join(held, ", "), whoHolds(ctx, admin))
}

// whoHolds tells, for a failure, what coordinators and leaders say.
func whoHolds(ctx context.Context, admin *kadm.Client) string {
	var out []string
	all, err := admin.DescribeTransactions(ctx)
	for _, t := range all.Sorted() {
		if t.State == "Ongoing" || strings.HasPrefix(t.State, "Prepare") || t.Err != nil {
			out = append(out, fmt.Sprintf("%s is %s (producer %d, epoch %d, %v)", t.TxnID, t.State, t.ProducerID, t.ProducerEpoch, t.Topics.Sorted()))
		}
	}
	set := kadm.TopicsSet{}
	for p := range int32(partitions) {
		set.Add(topicIn, p)
		set.Add(topicLedger, p)
	}
	producers, perr := admin.DescribeProducers(ctx, set)
	producers.EachProducer(func(p kadm.DescribedProducer) {
		if p.CurrentTxnStartOffset >= 0 {
			out = append(out, fmt.Sprintf("%s is open from %d on (producer %d, epoch %d)", partitionName(p.Topic, p.Partition), p.CurrentTxnStartOffset, p.ProducerID, p.ProducerEpoch))
		}
	})
	if err := errors.Join(err, perr); err != nil {
		out = append(out, err.Error())
	}
	return strings.Join(out, ", ")
}

// heldBack names the partitions whose last stable offset stays behind.
func heldBack(ctx context.Context, admin *kadm.Client, topics ...string) ([]string, error) {
	stable, err := admin.ListCommittedOffsets(ctx, topics...)
	if err != nil {
		return nil, err
	}
	ends, err := admin.ListEndOffsets(ctx, topics...)
	if err != nil {
		return nil, err
	}
	var out []string
	ends.Each(func(e kadm.ListedOffset) {
		if l, _ := stable.Lookup(e.Topic, e.Partition); e.Err != nil || l.Err != nil || l.Offset < e.Offset {
			out = append(out, fmt.Sprintf("%s at %d of %d", partitionName(e.Topic, e.Partition), l.Offset, e.Offset))
		}
	})
	return out, nil
}

func (s *stage) judge() (*history.Report, error) { return judgeFile(s.historyFile(), s.exactMarks()) }

// exactMarks are what Ottla promises of a fetch, and Kafka does not.
func (s *stage) exactMarks() bool { return s.against != "kafka" }

func judgeFile(name string, exact bool) (*history.Report, error) {
	ops, err := history.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return history.Check(ops, history.Options{
		Idempotent: true, ExactMarks: exact, Pipeline: &history.Pipeline{Source: topicIn, Stages: stages},
	}), nil
}
