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

// consumers reads those of the groups whose partitions the server assigns
// (KIP-848), by name; others, and those that are not there, are left out.
func consumers(ctx context.Context, a *kadm.Client, names []string) (map[string]*Group, error) {
	described, err := a.DescribeConsumerGroups(ctx, names...)
	switch {
	case errors.Is(err, kerr.UnsupportedVersion) || len(described) == 0 && err != nil && strings.Contains(err.Error(), "not support"):
		return nil, nil // an older server has no such groups
	case err != nil && !reach.Partly(err):
		return nil, fmt.Errorf("read the consumer groups: %w", err)
	}
	found := map[string]*Group{}
	for name, d := range described {
		if errors.Is(d.Err, kerr.GroupIDNotFound) || errors.Is(d.Err, kerr.UnsupportedVersion) {
			continue
		}
		if d.Err != nil {
			return nil, fmt.Errorf("read group %s: %w", name, d.Err)
		}
		found[name] = ofConsumers(&d)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found, standings(ctx, a, found)
}

func ofConsumers(d *kadm.DescribedConsumerGroup) *Group {
	g := &Group{
		Name: d.Group, State: d.State, Type: "consumer", ProtocolType: "consumer", Protocol: d.AssignorName,
		Coordinator: d.Coordinator.NodeID, Epoch: d.Epoch, AssignmentEpoch: d.AssignmentEpoch,
	}
	for i := range d.Members {
		m := &d.Members[i]
		mine := Member{ID: m.MemberID, Client: m.ClientID, Host: strings.TrimPrefix(m.ClientHost, "/"), Epoch: m.MemberEpoch,
			Assigned: partitionsOf(m.Assignment), Target: partitionsOf(m.TargetAssignment)}
		if m.InstanceID != nil {
			mine.Instance = *m.InstanceID
		}
		g.Members = append(g.Members, mine)
	}
	slices.SortFunc(g.Members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	return g
}

func partitionsOf(set kadm.TopicsSet) (out []TopicPartition) {
	for topic, parts := range set {
		for p := range parts {
			out = append(out, TopicPartition{topic, p})
		}
	}
	slices.SortFunc(out, compare)
	return out
}

// standings fills in where the groups stand.
func standings(ctx context.Context, a *kadm.Client, found map[string]*Group) error {
	var names []string
	for name := range found {
		names = append(names, name)
	}
	slices.Sort(names)
	fetched := a.FetchManyOffsets(ctx, names...)
	topics := map[string]bool{}
	for _, name := range names {
		r := fetched[name]
		if r.Err != nil {
			return fmt.Errorf("read the offsets of group %s: %w", name, r.Err)
		}
		found[name].place(r.Fetched)
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
			g.Partitions[i].measure(ends)
		}
	}
	return nil
}

// place makes a row of each partition that is assigned or committed.
func (g *Group) place(committed kadm.OffsetResponses) {
	rows := map[TopicPartition]*Partition{}
	row := func(at TopicPartition) *Partition {
		if rows[at] == nil {
			rows[at] = &Partition{TopicPartition: at, Committed: -1, Epoch: -1, Start: -1, End: -1, Lag: -1, Behind: -1}
		}
		return rows[at]
	}
	for i := range g.Members {
		for _, p := range g.Members[i].Assigned {
			row(p).Member = &g.Members[i]
		}
	}
	committed.Each(func(r kadm.OffsetResponse) {
		p := row(TopicPartition{r.Topic, r.Partition})
		p.Committed, p.Epoch = r.At, r.LeaderEpoch
	})
	for _, p := range rows {
		g.Partitions = append(g.Partitions, *p)
	}
	slices.SortFunc(g.Partitions, func(a, b Partition) int { return compare(a.TopicPartition, b.TopicPartition) })
}

// measure fills in the end of a partition and how far the group is from it.
func (p *Partition) measure(ends kadm.ListedOffsets) {
	end, ok := ends.Lookup(p.Topic, p.Partition)
	if !ok || end.Err != nil {
		return
	}
	p.End = end.Offset
	if p.Committed >= 0 {
		p.Lag = max(p.End-p.Committed, 0)
	}
	if p.Lag == 0 {
		p.Behind = 0
	}
}

// keys are the keys of a set, sorted.
func keys(set map[string]bool) []string {
	var out []string
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
