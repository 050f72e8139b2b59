package moves

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/balance"
)

// timeoutMs is what the controller may take for one request.
const timeoutMs = 30_000

// Kafka is a cluster through Kafka's own requests (KIP-455, KIP-460).
type Kafka struct{ Client *kgo.Client }

var _ API = Kafka{}

// Assign begins moves.
func (k Kafka) Assign(ctx context.Context, moves []balance.Move) ([]error, error) {
	return k.assign(ctx, moves, func(m balance.Move) []int32 { return m.To })
}

// Cancel takes back every move that is under way, and tells how many there
// were.
func (k Kafka) Cancel(ctx context.Context) (int, error) {
	moving, err := k.UnderWay(ctx)
	if err != nil || len(moving) == 0 {
		return 0, err
	}
	var all []balance.Move
	for name := range moving {
		all = append(all, balance.Move{Topic: name.Topic, Index: name.Index})
	}
	errs, err := k.assign(ctx, all, func(balance.Move) []int32 { return nil })
	if err != nil {
		return 0, err
	}
	taken := 0
	for i, err := range errs {
		switch {
		case err == nil:
			taken++
		case errors.Is(err, kerr.NoReassignmentInProgress): // it was over before
			errs[i] = nil
		}
	}
	return taken, errors.Join(errs...)
}

func (k Kafka) assign(ctx context.Context, moves []balance.Move, to func(balance.Move) []int32) ([]error, error) {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.TimeoutMillis = timeoutMs
	at := map[string]int{}
	for _, m := range moves {
		i, ok := at[m.Topic]
		if !ok {
			i = len(req.Topics)
			at[m.Topic] = i
			t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
			t.Topic = m.Topic
			req.Topics = append(req.Topics, t)
		}
		p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		p.Partition, p.Replicas = m.Index, to(m)
		req.Topics[i].Partitions = append(req.Topics[i].Partitions, p)
	}
	resp, err := req.RequestWith(ctx, k.Client)
	if err != nil {
		return nil, err
	}
	if err := withMessage(resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, err
	}
	found := map[Name]error{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			found[Name{t.Topic, p.Partition}] = withMessage(p.ErrorCode, p.ErrorMessage)
		}
	}
	out := make([]error, len(moves))
	for i, m := range moves {
		err, answered := found[Name{m.Topic, m.Index}]
		if !answered {
			err = errors.New("the controller did not answer for it")
		}
		out[i] = err
	}
	return out, nil
}

// UnderWay are all partitions that are being moved.
func (k Kafka) UnderWay(ctx context.Context) (map[Name]bool, error) {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	req.TimeoutMillis = timeoutMs
	resp, err := req.RequestWith(ctx, k.Client)
	if err == nil {
		err = withMessage(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil {
		return nil, err
	}
	out := map[Name]bool{}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			out[Name{t.Topic, p.Partition}] = true
		}
	}
	return out, nil
}

// Elect has the preferred leaders elected. Those that lead already, and those
// that are not in sync yet, are no errors: the cluster looks after them later.
func (k Kafka) Elect(ctx context.Context, names []Name) error {
	a := kadm.NewClient(k.Client)
	a.SetTimeoutMillis(timeoutMs)
	set := kadm.TopicsSet{}
	for _, n := range names {
		set.Add(n.Topic, n.Index)
	}
	results, err := a.ElectLeaders(ctx, kadm.ElectPreferredReplica, set)
	if err != nil {
		return err
	}
	var errs []error
	for _, partitions := range results {
		for _, r := range partitions {
			if r.Err != nil && !errors.Is(r.Err, kerr.ElectionNotNeeded) && !errors.Is(r.Err, kerr.PreferredLeaderNotAvailable) {
				errs = append(errs, fmt.Errorf("%s-%d: %w", r.Topic, r.Partition, r.Err))
			}
		}
	}
	return errors.Join(errs...)
}

func withMessage(code int16, message *string) error {
	err := kerr.ErrorForCode(code)
	if err != nil && message != nil && *message != "" {
		return fmt.Errorf("%w: %s", err, *message)
	}
	return err
}
