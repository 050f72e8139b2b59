//go:build linux

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// groupKinds are the groups that consume, with the options of their members.
var groupKinds = []struct {
	name string
	opts []kgo.Opt
}{
	{"classic", impatient},
	{"consumer", append([]kgo.Opt{kgo.ServerSideBalancer()}, impatient...)},
	{"classic default", nil},
}

// leaveWithin is for how long a member tries to leave its group: there may be no
// node any more.
const leaveWithin = 2 * time.Second

// consume is a member of a group that commits what it has read, until ctx ends. A
// partition's pulse beats when what came from it is committed.
func (l *load) consume(ctx context.Context, c *kgo.Client, ps pulses) {
	defer func() {
		leaving, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWithin)
		defer cancel()
		_ = c.LeaveGroupContext(leaving) // it is forgotten by and by then
		c.CloseAllowingRebalance()
	}()
	for ctx.Err() == nil {
		fetches := c.PollFetches(ctx)
		if fetches.NumRecords() == 0 {
			continue
		}
		one, cancel := context.WithTimeout(ctx, 30*time.Second)
		c.CommitOffsetsSync(one, c.UncommittedOffsets(), func(_ *kgo.Client, _ *kmsg.OffsetCommitRequest, r *kmsg.OffsetCommitResponse, err error) {
			if err != nil { // no beat tells it
				return
			}
			for _, t := range r.Topics {
				for _, p := range t.Partitions {
					if p.ErrorCode == 0 && int(p.Partition) < len(ps) {
						ps[p.Partition].beat()
					}
				}
			}
		})
		cancel()
	}
}

// coordinatedBy finds a name for a group that the node coordinates.
func (s *stage) coordinatedBy(ctx context.Context, prefix string, node int) (group string, err error) {
	err = s.until(ctx, wholeWithin, func(ctx context.Context) (string, error) {
		for n := range 100 {
			name := fmt.Sprintf("%s-%d", prefix, n)
			req := kmsg.NewPtrFindCoordinatorRequest()
			req.CoordinatorType, req.CoordinatorKey, req.CoordinatorKeys = 0, name, []string{name}
			resp, err := from[*kmsg.FindCoordinatorResponse](ctx, s, node, req)
			if err != nil {
				return err.Error(), nil
			}
			id, code := resp.NodeID, resp.ErrorCode
			if len(resp.Coordinators) == 1 {
				id, code = resp.Coordinators[0].NodeID, resp.Coordinators[0].ErrorCode
			}
			if code == 0 && int(id) == node {
				group = name
				return "", nil
			}
		}
		return fmt.Sprintf("node %d coordinates no group", node), nil
	})
	return group, err
}
