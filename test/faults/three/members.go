//go:build linux

package three

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/realfault"
	"ottla/test/rig/several"
)

// The faults in which nodes come and go for good.

// spare is the number of the node that joins when it is wanted.
func (s *stage) spare() int { return s.o.Nodes + 1 }

// joinedUnderPartition lets a fourth node join while another is cut off, and
// leave again.
func joinedUnderPartition(ctx context.Context, s *stage) error {
	mend, err := s.cluster.Apart(ctx, s.links(s.any(), true, true)...)
	if err != nil {
		return err
	}
	if err := errors.Join(s.startAnew(ctx, s.spare()), mend()); err != nil {
		return err
	}
	if err := s.whole(ctx); err != nil {
		return err
	}
	return s.part(ctx)
}

// part lets the fourth node go for good. It must have no replica.
func (s *stage) part(ctx context.Context) error {
	if err := s.cluster.Stop(s.spare()); err != nil {
		return err
	}
	if err := s.cluster.LoseDisk(s.spare()); err != nil {
		return err
	}
	return s.until(ctx, backWithin, func(ctx context.Context) (string, error) {
		req := kmsg.NewPtrUnregisterBrokerRequest()
		req.BrokerID = int32(s.spare())
		resp, err := req.RequestWith(ctx, s.asks)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		if err != nil && !errors.Is(err, kerr.BrokerIDNotRegistered) {
			return fmt.Sprintf("node %d cannot be unregistered: %v", s.spare(), err), nil
		}
		return "", nil
	})
}

// voterUnderPartition takes a node that is cut off out of the quorum; whole brings
// it back in. A node that can act on it is asked: the one that is cut off would do
// so when it is there again.
func voterUnderPartition(ctx context.Context, s *stage) error {
	number := s.any()
	asked := s.asks.Broker(s.others(number)[s.r.IntN(2)])
	mend, err := s.cluster.Apart(ctx, s.links(number, true, true)...)
	if err != nil {
		return err
	}
	err = s.until(ctx, backWithin, func(ctx context.Context) (string, error) {
		voters, err := s.voters(ctx, asked) // the one that is cut off takes itself for a voter
		directory, votes := voters[int32(number)]
		switch {
		case err != nil:
			return err.Error(), nil
		case !votes:
			return "", nil
		}
		req := kmsg.NewPtrRemoveRaftVoterRequest()
		req.VoterID, req.VoterDirectoryID = int32(number), directory
		resp, err := asked.Request(ctx, req)
		if r, ok := resp.(*kmsg.RemoveRaftVoterResponse); err == nil && ok {
			err = kerr.ErrorForCode(r.ErrorCode)
		}
		return fmt.Sprintf("node %d votes still: %v", number, err), nil
	})
	return errors.Join(err, mend())
}

// voters tells which nodes vote, each with the directory of its metadata, as a
// node has it.
func (s *stage) voters(ctx context.Context, asked *kgo.Broker) (map[int32][16]byte, error) {
	p, err := realfault.Quorum(ctx, asked.Request)
	if err != nil {
		return nil, err
	}
	out := map[int32][16]byte{}
	for _, v := range p.CurrentVoters {
		out[v.ReplicaID] = v.ReplicaDirectoryID
	}
	return out, nil
}

// newestQuorum asks all nodes, and gives what the one says that knows the newest
// leadership: who was cut off tells an old story for some moments.
func (s *stage) newestQuorum(ctx context.Context) (newest *kmsg.DescribeQuorumResponseTopicPartition, err error) {
	for _, number := range s.everybody() {
		p, err := realfault.Quorum(ctx, s.asks.Broker(number).Request)
		if err != nil {
			return nil, fmt.Errorf("node %d: %w", number, err)
		}
		if newest == nil || p.LeaderEpoch > newest.LeaderEpoch || p.LeaderEpoch == newest.LeaderEpoch && p.LeaderID == int32(number) {
			newest = p
		}
	}
	return newest, nil
}

// voting tells what the quorum lacks to have every node vote. Who was taken out of
// it by order comes back by order.
func (s *stage) voting(ctx context.Context) (string, error) {
	p, err := s.newestQuorum(ctx)
	if err != nil {
		return err.Error(), nil
	}
	votes := map[int32]bool{}
	for _, v := range p.CurrentVoters {
		votes[v.ReplicaID] = true
	}
	lacking := ""
	for _, o := range p.Observers {
		if o.ReplicaID > int32(s.o.Nodes) || votes[o.ReplicaID] {
			continue
		}
		req := kmsg.NewPtrAddRaftVoterRequest()
		req.VoterID, req.VoterDirectoryID, req.TimeoutMillis = o.ReplicaID, o.ReplicaDirectoryID, 2000
		resp, err := req.RequestWith(ctx, s.asks)
		if err == nil {
			err = kerr.ErrorForCode(resp.ErrorCode)
		}
		lacking = fmt.Sprintf("node %d does not vote: %v", o.ReplicaID, err)
	}
	if lacking == "" && len(votes) < s.o.Nodes {
		lacking = fmt.Sprintf("%d of %d nodes vote", len(votes), s.o.Nodes)
	}
	return lacking, nil
}

// replacedUnderPartition replaces the disk of a node that one of the others
// cannot reach.
func replacedUnderPartition(ctx context.Context, s *stage) error {
	number := s.any()
	far := s.others(number)[s.r.IntN(2)]
	if err := s.cluster.LoseDisk(number); err != nil {
		return err
	}
	mend, err := s.cluster.Apart(ctx, several.Link{From: number, To: far}, several.Link{From: far, To: number})
	if err != nil {
		return errors.Join(err, s.startAnew(ctx, number))
	}
	began := make(chan error, 1)
	go func() { began <- s.startAnew(ctx, number) }()
	err = s.flowing(ctx)
	return errors.Join(err, mend(), <-began)
}

// disksAtOnce loses the disks of two nodes at the same moment, of three that have
// the replicas of a partition: what the third has is all there is. The fourth
// node is one of the two, so that two of three voters are left.
func disksAtOnce(ctx context.Context, s *stage) error {
	if err := s.startAnew(ctx, s.spare()); err != nil {
		return err
	}
	number := s.any()
	keeper := s.others(number)[s.r.IntN(2)]
	if err := s.place(ctx, []int{keeper, number, s.spare()}); err != nil {
		return err
	}
	s.cluster.Kill(number)
	s.cluster.Kill(s.spare())
	for _, lost := range []int{number, s.spare()} {
		if err := s.cluster.LoseDisk(lost); err != nil {
			return err
		}
	}
	if err := s.flowing(ctx); err != nil {
		return fmt.Errorf("with the disks of nodes %d and %d lost: %w", number, s.spare(), err)
	}
	if err := errors.Join(s.startAnew(ctx, number), s.startAnew(ctx, s.spare())); err != nil {
		return err
	}
	if err := s.whole(ctx); err != nil {
		return fmt.Errorf("after the disks of nodes %d and %d were replaced: %w", number, s.spare(), err)
	}
	all := append([]int{number}, s.others(number)...)
	if err := s.place(ctx, all); err != nil {
		return err
	}
	return s.part(ctx)
}

// place moves every other partition to some nodes, and waits until it is there.
func (s *stage) place(ctx context.Context, on []int) error {
	var replicas []int32
	for _, number := range on {
		replicas = append(replicas, int32(number))
	}
	var req kadm.AlterPartitionAssignmentsReq
	for p := int32(0); p < partitions; p += 2 {
		req.Assign(topic, p, replicas)
	}
	err := s.until(ctx, backWithin, func(ctx context.Context) (string, error) {
		resp, err := s.admin.AlterPartitionAssignments(ctx, req)
		if err == nil {
			err = resp.Error()
		}
		if err != nil {
			return fmt.Sprintf("partitions cannot be moved to nodes %v: %v", on, err), nil
		}
		return "", nil
	})
	if err != nil {
		return err
	}
	return s.until(ctx, wholeWithin, func(ctx context.Context) (string, error) {
		moving, err := s.admin.ListPartitionReassignments(ctx, nil)
		if err != nil {
			return err.Error(), nil
		}
		if n := len(moving.Sorted()); n > 0 {
			return fmt.Sprintf("%d partitions are on their way to nodes %v", n, on), nil
		}
		return "", nil
	})
}
