package groups

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Subtopology is a part of the topology of a streams group, which has a task
// for each partition of its topics.
type Subtopology struct {
	ID string
	// Sources and Repartitions are the topics that it reads, Sinks those it
	// writes for other parts, Changelogs those of its stores.
	Sources, Repartitions, Sinks, Changelogs []string
}

// reads are the topics that have its tasks' partitions.
func (s *Subtopology) reads() []string { return append(slices.Clone(s.Sources), s.Repartitions...) }

// Roles are the tasks of a member, as SUBTOPOLOGY_PARTITION.
type Roles struct{ Active, Standby, Warmup []string }

// streams reads those of the groups that are applications of Kafka Streams
// (KIP-1071), by name; others, and those that are not there, are left out.
func streams(ctx context.Context, c *kgo.Client, a *kadm.Client, names []string) (map[string]*Group, error) {
	found := map[string]*Group{}
	at, err := coordinators(ctx, a, names)
	if err != nil {
		return nil, err
	}
	for _, node := range slices.Sorted(at.nodes()) {
		req := kmsg.NewPtrStreamsGroupDescribeRequest()
		req.Groups = at[node]
		resp, err := req.RequestWith(ctx, c.Broker(int(node)))
		switch {
		case errors.Is(err, kerr.UnsupportedVersion) || err != nil && strings.Contains(err.Error(), "not support"):
			return nil, nil // an older server has no such groups
		case err != nil:
			return nil, fmt.Errorf("read the streams groups: %w", err)
		}
		for i := range resp.Groups {
			d := &resp.Groups[i]
			err := kerr.ErrorForCode(d.ErrorCode)
			if errors.Is(err, kerr.GroupIDNotFound) || errors.Is(err, kerr.UnsupportedVersion) {
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("read group %s: %w", d.Group, err)
			}
			found[d.Group] = ofStreams(d, node)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	if err := assigned(ctx, a, found); err != nil {
		return nil, err
	}
	return found, standings(ctx, a, found)
}

// byNode are names of groups by their coordinators.
type byNode map[int32][]string

func (b byNode) nodes() func(func(int32) bool) {
	return func(yield func(int32) bool) {
		for n := range b {
			if !yield(n) {
				return
			}
		}
	}
}

func coordinators(ctx context.Context, a *kadm.Client, names []string) (byNode, error) {
	at := byNode{}
	for _, r := range a.FindGroupCoordinators(ctx, names...).Sorted() {
		if r.Err != nil {
			return nil, fmt.Errorf("find the coordinator of group %s: %w", r.Name, r.Err)
		}
		at[r.NodeID] = append(at[r.NodeID], r.Name)
	}
	return at, nil
}

func ofStreams(d *kmsg.StreamsGroupDescribeResponseGroup, node int32) *Group {
	g := &Group{
		Name: d.Group, State: d.State, Type: "streams", ProtocolType: "streams",
		Coordinator: node, Epoch: d.Epoch, AssignmentEpoch: d.AssignmentEpoch,
	}
	if t := d.Topology; t != nil {
		g.TopologyEpoch = t.Epoch
		for i := range t.Subtopologies {
			s := &t.Subtopologies[i]
			g.Topology = append(g.Topology, Subtopology{
				ID: s.SubtopologyID, Sources: s.SourceTopics, Sinks: s.RepartitionSinkTopics,
				Repartitions: topicsOf(s.RepartitionSourceTopics), Changelogs: topicsOf(s.StateChangelogTopics),
			})
		}
	}
	for i := range d.Members {
		m := &d.Members[i]
		mine := Member{
			ID: m.MemberID, Client: m.ClientID, Host: strings.TrimPrefix(m.ClientHost, "/"), Epoch: m.MemberEpoch,
			Process: m.ProcessID, TopologyEpoch: m.TopologyEpoch, Tasks: rolesOf(&m.Assignment), Wanted: rolesOf(&m.TargetAssignment),
		}
		if m.InstanceID != nil {
			mine.Instance = *m.InstanceID
		}
		if e := m.UserEndpoint; e != nil {
			mine.Endpoint = fmt.Sprintf("%s:%d", e.Host, e.Port)
		}
		g.Members = append(g.Members, mine)
	}
	slices.SortFunc(g.Members, func(a, b Member) int { return cmp.Compare(a.ID, b.ID) })
	return g
}

func topicsOf(list []kmsg.TopicInfo) (out []string) {
	for i := range list {
		out = append(out, list[i].Topic)
	}
	return out
}

func rolesOf(a *kmsg.StreamsAssignment) Roles {
	return Roles{tasksOf(a.ActiveTasks), tasksOf(a.StandbyTasks), tasksOf(a.WarmupTasks)}
}

func tasksOf(list []kmsg.TaskIDs) (out []string) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b kmsg.TaskIDs) int { return cmp.Compare(a.SubtopologyID, b.SubtopologyID) })
	for _, t := range list {
		for _, p := range slices.Sorted(slices.Values(t.Partitions)) {
			out = append(out, fmt.Sprintf("%s_%d", t.SubtopologyID, p))
		}
	}
	return out
}

// assigned turns active tasks into the partitions that they read, and notes
// which topics of the topology there are not.
func assigned(ctx context.Context, a *kadm.Client, found map[string]*Group) error {
	names := map[string]bool{}
	for _, g := range found {
		for i := range g.Topology {
			for _, t := range g.Topology[i].reads() {
				names[t] = true
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	topics, err := a.ListTopicsWithInternal(ctx, keys(names)...)
	if err != nil {
		return fmt.Errorf("read the topics of the streams groups: %w", err)
	}
	for _, g := range found {
		read := map[string][]TopicPartition{} // by task
		for i := range g.Topology {
			s := &g.Topology[i]
			for _, name := range s.reads() {
				t := topics[name]
				if len(t.Partitions) == 0 {
					g.Missing = append(g.Missing, name)
				}
				for p := range t.Partitions {
					task := fmt.Sprintf("%s_%d", s.ID, p)
					read[task] = append(read[task], TopicPartition{name, p})
				}
			}
		}
		for i := range g.Members {
			m := &g.Members[i]
			m.Assigned, m.Target = partitionsRead(m.Tasks.Active, read), partitionsRead(m.Wanted.Active, read)
		}
		slices.Sort(g.Missing)
		g.Missing = slices.Compact(g.Missing)
	}
	return nil
}

func partitionsRead(tasks []string, read map[string][]TopicPartition) (out []TopicPartition) {
	for _, t := range tasks {
		out = append(out, read[t]...)
	}
	slices.SortFunc(out, compare)
	return out
}
