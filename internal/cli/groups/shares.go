package groups

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/reach"
)

// shares reads those of the groups whose members take records one by one
// (KIP-932), by name; others, and those that are not there, are left out.
// Committed is where a share-partition starts: all below is done. Its lag, by
// the server's count, leaves out what is done beyond.
func shares(ctx context.Context, a *kadm.Client, names []string) (map[string]*Group, error) {
	if len(names) == 0 {
		return nil, nil
	}
	described, err := a.DescribeShareGroups(ctx, names...)
	switch {
	case errors.Is(err, kerr.UnsupportedVersion) || len(described) == 0 && err != nil && strings.Contains(err.Error(), "not support"):
		return nil, nil // an older server has no such groups
	case err != nil && !reach.Partly(err):
		return nil, fmt.Errorf("read the share groups: %w", err)
	}
	found := map[string]*Group{}
	var here []string
	for name, d := range described {
		if errors.Is(d.Err, kerr.GroupIDNotFound) || errors.Is(d.Err, kerr.UnsupportedVersion) {
			continue
		}
		if d.Err != nil {
			return nil, fmt.Errorf("read group %s: %w", name, d.Err)
		}
		found[name] = ofShares(&d)
		here = append(here, name)
	}
	if len(found) == 0 {
		return nil, nil
	}
	slices.Sort(here)
	return found, shareStandings(ctx, a, here, found)
}

func ofShares(d *kadm.DescribedShareGroup) *Group {
	g := &Group{
		Name: d.GroupID, State: d.GroupState, Type: "share", ProtocolType: "share", Protocol: d.Assignor,
		Coordinator: d.Coordinator.NodeID, Epoch: d.GroupEpoch, AssignmentEpoch: d.AssignmentEpoch,
	}
	for i := range d.Members {
		m := &d.Members[i]
		g.Members = append(g.Members, Member{ID: m.MemberID, Client: m.ClientID, Host: strings.TrimPrefix(m.ClientHost, "/"),
			Epoch: m.MemberEpoch, Assigned: partitionsOf(m.Assignment)})
	}
	slices.SortFunc(g.Members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	return g
}

// shareStandings fills in where the groups stand. Several members may read a
// partition; a row names one only where it is alone.
func shareStandings(ctx context.Context, a *kadm.Client, names []string, found map[string]*Group) error {
	all, err := a.DescribeShareGroupOffsets(ctx, names...)
	if err != nil && !reach.Partly(err) {
		return fmt.Errorf("read where the share groups stand: %w", err)
	}
	topics := map[string]bool{}
	for _, name := range names {
		o := all[name]
		if o.Err != nil {
			return fmt.Errorf("read where group %s stands: %w", name, o.Err)
		}
		found[name].stand(o.Offsets)
		for _, p := range found[name].Partitions {
			topics[p.Topic] = true
		}
	}
	if len(topics) == 0 {
		return nil
	}
	ends, err := a.ListEndOffsets(ctx, keys(topics)...)
	if err != nil && !reach.Partly(err) {
		return fmt.Errorf("read the ends of the partitions: %w", err)
	}
	for _, g := range found {
		for i := range g.Partitions {
			p := &g.Partitions[i]
			if end, ok := ends.Lookup(p.Topic, p.Partition); ok && end.Err == nil {
				p.End = end.Offset
			}
		}
	}
	return nil
}

// stand makes a row of each share-partition.
func (g *Group) stand(offsets kadm.ShareOffsets) {
	readers := map[TopicPartition][]*Member{}
	for i := range g.Members {
		for _, p := range g.Members[i].Assigned {
			readers[p] = append(readers[p], &g.Members[i])
		}
	}
	for _, o := range offsets.Sorted() {
		p := Partition{TopicPartition: TopicPartition{o.Topic, o.Partition}, Committed: -1, Epoch: -1, Start: -1, End: -1, Lag: -1, Behind: -1}
		if o.Err == nil {
			p.Committed, p.Lag = o.StartOffset, o.Lag
		}
		if p.Lag == 0 {
			p.Behind = 0
		}
		if r := readers[p.TopicPartition]; len(r) == 1 {
			p.Member = r[0]
		}
		g.Partitions = append(g.Partitions, p)
	}
}
