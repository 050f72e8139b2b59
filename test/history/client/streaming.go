package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/history"
)

// streamer is a member of a streams group (KIP-1071) that works on nothing: it
// reports, and takes and gives back the tasks that it is told to.
type streamer struct {
	c       *Cluster
	group   string
	id      string
	process int32
	cl      *kgo.Client
	epoch   int32
	active  []kmsg.TaskIDs
}

// stream is a member of a streams group until ctx ends. Every lifetime it leaves,
// and a new one joins.
func (c *Cluster) stream(ctx context.Context, group string, lifetime time.Duration) error {
	cl, err := c.open(kgo.RetryTimeout(5 * time.Second))
	if err != nil {
		return err
	}
	defer cl.Close()
	for ctx.Err() == nil {
		s := &streamer{c: c, group: group, process: c.History.Process(), cl: cl}
		s.id = fmt.Sprintf("%s-member-%d", group, s.process)
		life, cancel := context.WithTimeout(ctx, lifetime)
		for life.Err() == nil {
			wait(life, s.beat(life))
		}
		cancel()
		s.leave(ctx)
		c.History.Add(history.Op{Process: s.process, Kind: history.Crash, Outcome: history.OK, Start: c.History.Now(), End: c.History.Now()})
	}
	return nil
}

// beat reports once, and tells when to report again.
func (s *streamer) beat(ctx context.Context) time.Duration {
	const soon = 200 * time.Millisecond
	req := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch, req.EndpointInformationEpoch = s.group, s.id, s.epoch, -1
	req.ActiveTasks, req.StandbyTasks, req.WarmupTasks = s.active, []kmsg.TaskIDs{}, []kmsg.TaskIDs{}
	if s.epoch == 0 {
		only := kmsg.NewStreamsGroupHeartbeatRequestTopologySubtopology()
		only.SubtopologyID, only.SourceTopics = "0", []string{s.c.Topic}
		req.Topology = &kmsg.StreamsGroupHeartbeatRequestTopology{Subtopologies: []kmsg.StreamsGroupHeartbeatRequestTopologySubtopology{only}}
		req.ProcessID, req.RebalanceTimeoutMillis, req.ActiveTasks = &s.id, 10_000, []kmsg.TaskIDs{}
	}
	start := s.c.History.Now()
	resp, err := s.ask(ctx, req)
	switch {
	case errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.FencedMemberEpoch):
		s.epoch, s.active = 0, nil // as a client does: it gives everything up and joins again
		return soon
	case err != nil:
		return soon
	}
	changed := resp.ActiveTasks != nil || resp.MemberEpoch != s.epoch
	s.epoch = resp.MemberEpoch
	if resp.ActiveTasks != nil {
		s.active = resp.ActiveTasks
	}
	if changed {
		s.note(start)
	}
	return time.Duration(resp.HeartbeatIntervalMillis) * time.Millisecond
}

// ask asks the group's coordinator, which the client does not look for by itself
// with this request.
func (s *streamer) ask(ctx context.Context, req *kmsg.StreamsGroupHeartbeatRequest) (*kmsg.StreamsGroupHeartbeatResponse, error) {
	found := kadm.NewClient(s.cl).FindGroupCoordinators(ctx, s.group)
	if err := found.Error(); err != nil {
		return nil, fmt.Errorf("find the coordinator of %s: %w", s.group, err)
	}
	resp, err := s.cl.Broker(int(found[s.group].NodeID)).Request(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("report to %s: %w", s.group, err)
	}
	r, ok := resp.(*kmsg.StreamsGroupHeartbeatResponse)
	if !ok {
		return nil, fmt.Errorf("report to %s: it answers %T", s.group, resp)
	}
	return r, kerr.ErrorForCode(r.ErrorCode)
}

// note writes down which tasks the member has.
func (s *streamer) note(start int64) {
	op := history.Op{Process: s.process, Kind: history.Subscribe, Outcome: history.OK, Start: start, Group: s.group, Member: s.id, Generation: s.epoch}
	for _, t := range s.active {
		for _, p := range slices.Sorted(slices.Values(t.Partitions)) {
			op.Positions = append(op.Positions, history.Position{Partition: s.c.partition(p), Offset: -1})
		}
	}
	op.End = s.c.History.Now()
	s.c.History.Add(op)
}

// leave tells the group that the member goes.
func (s *streamer) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	req := kmsg.NewPtrStreamsGroupHeartbeatRequest()
	req.Group, req.MemberID, req.MemberEpoch = s.group, s.id, -1
	_, _ = s.ask(ctx, req) // it is missed in any case
}
