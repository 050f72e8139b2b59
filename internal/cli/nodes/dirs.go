package nodes

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire/own"
)

// nodePatience bounds what nodes are waited for: one that stands still must not
// keep what the others say. One that has ended is told at once, and one that is
// fenced is not asked.
const nodePatience = 10 * time.Second

// directories asks all serving nodes for their log directories, side by side. A
// node is asked once: one that cannot be reached is a fact, too.
func (f *Facts) directories(ctx context.Context, s Sources) {
	ctx, cancel := context.WithTimeout(ctx, nodePatience)
	defer cancel()
	var asked sync.WaitGroup
	for i := range f.Nodes {
		n := &f.Nodes[i]
		if n.Fenced || !slices.Contains(n.Roles, "broker") {
			n.Unasked = "it is fenced"
			continue
		}
		asked.Go(func() {
			var err error
			if n.Dirs, n.Closed, err = directoriesOf(ctx, s.Client, n.ID); err != nil {
				n.Unasked = err.Error()
			}
		})
	}
	asked.Wait()
}

// directoriesOf are a node's log directories, by name, never nil without an error;
// and the replicas in them whose logs cannot be opened.
func directoriesOf(ctx context.Context, c *kgo.Client, node int32) ([]kadm.DescribedLogDir, []own.ClosedLog, error) {
	req := kmsg.NewPtrDescribeLogDirsRequest()
	raw, err := c.Broker(int(node)).Request(ctx, req)
	if err != nil {
		return nil, nil, err
	}
	resp, ok := raw.(*kmsg.DescribeLogDirsResponse)
	if !ok {
		return nil, nil, kerr.UnknownServerError
	}
	if err := kerr.ErrorForCode(resp.ErrorCode); err != nil {
		return nil, nil, err
	}
	dirs, closed := []kadm.DescribedLogDir{}, []own.ClosedLog(nil)
	for i := range resp.Dirs {
		from := &resp.Dirs[i]
		more, err := own.ReadClosed(&from.UnknownTags)
		if err != nil {
			return nil, nil, err
		}
		closed = append(closed, more...)
		d := kadm.DescribedLogDir{
			Broker: node, Dir: from.Dir, Topics: kadm.DescribedLogDirTopics{}, Err: kerr.ErrorForCode(from.ErrorCode),
			TotalBytes: from.TotalBytes, UsableBytes: from.UsableBytes, IsCordoned: from.IsCordoned,
		}
		for _, t := range from.Topics {
			d.Topics[t.Topic] = map[int32]kadm.DescribedLogDirPartition{}
			for _, p := range t.Partitions {
				d.Topics[t.Topic][p.Partition] = kadm.DescribedLogDirPartition{
					Broker: node, Dir: from.Dir, Topic: t.Topic, Partition: p.Partition, Size: p.Size, OffsetLag: p.OffsetLag, IsFuture: p.IsFuture,
				}
			}
		}
		dirs = append(dirs, d)
	}
	slices.SortFunc(dirs, func(a, b kadm.DescribedLogDir) int { return strings.Compare(a.Dir, b.Dir) })
	return dirs, closed, nil
}
