package groups

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/reach"
)

// Group is one group with its members and offsets.
type Group struct {
	Name, State string
	// Type is "classic", "consumer", "share" or "streams": a member shares the
	// partitions out, the server does, records go to members one by one, or the
	// server shares out the tasks of an application of Kafka Streams.
	Type         string
	ProtocolType string // "consumer" for consumers
	Protocol     string // the assignor that is used
	Coordinator  int32
	// Epoch is a consumer group's, AssignmentEpoch the one that its target was
	// made for; 0 of classic groups.
	Epoch, AssignmentEpoch int32
	Members                []Member
	Partitions             []Partition
	// Topology is a streams group's, with its epoch; Missing are topics that it
	// reads and that there are not.
	Topology      []Subtopology
	TopologyEpoch int32
	Missing       []string
}

// Member is one member of a group.
type Member struct {
	ID, Client, Host string
	Instance         string // group.instance.id of a static member, "" for others
	Assigned         []TopicPartition
	// Epoch and Target are those of a consumer group's member: what it has
	// confirmed, and what it shall have.
	Epoch  int32
	Target []TopicPartition
	// Of a streams group's member: the process that it is part of, where it can
	// be asked ("" for nowhere), its topology's epoch, and the tasks that it has
	// and shall have.
	Process, Endpoint string
	TopologyEpoch     int32
	Tasks, Wanted     Roles
}

// TopicPartition names a partition.
type TopicPartition struct {
	Topic     string
	Partition int32
}

// String is topic-partition.
func (p TopicPartition) String() string { return fmt.Sprintf("%s-%d", p.Topic, p.Partition) }

// Partition is a group's position in one partition.
type Partition struct {
	TopicPartition
	Committed  int64 // -1: the group has committed nothing here; of share groups, where the share-partition starts
	Epoch      int32 // leader epoch that was committed with it; -1 unknown
	Start, End int64 // of the log; -1 unknown
	Lag        int64 // records to read yet; -1 unknown
	// Behind is the age of the oldest record to read; 0 when there is none,
	// negative when it could not be found out.
	Behind time.Duration
	Member *Member // who reads it, nil for nobody
}

// Options say what to find out beyond what the coordinator knows.
type Options struct {
	// Ages asks for Behind; it costs one small fetch a partition.
	Ages bool
	// Shares finds share groups too, which are not there otherwise.
	Shares bool
	// Streams finds streams groups too, asking by this client; nil: they are not
	// there.
	Streams *kgo.Client
	// Within bounds the fetches for Ages.
	Within time.Duration
	Now    func() time.Time
	// Servers are the addresses for the fetches' own client.
	Servers []string
}

// Describe reads groups. A group that is not there is an error of
// kerr.GroupIDNotFound.
func Describe(ctx context.Context, a *kadm.Client, o Options, names ...string) ([]*Group, error) {
	if len(names) == 0 {
		return nil, nil
	}
	served, err := consumers(ctx, a, names)
	if err != nil {
		return nil, err
	}
	others := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return served[n] != nil })
	var shared map[string]*Group
	if o.Shares {
		if shared, err = shares(ctx, a, others); err != nil {
			return nil, err
		}
	}
	others = slices.DeleteFunc(others, func(n string) bool { return shared[n] != nil })
	var apps map[string]*Group
	if o.Streams != nil && len(others) > 0 {
		if apps, err = streams(ctx, o.Streams, a, others); err != nil {
			return nil, err
		}
	}
	out, err := classics(ctx, a, slices.DeleteFunc(others, func(n string) bool { return apps[n] != nil }))
	if err != nil {
		return nil, err
	}
	for _, kind := range []map[string]*Group{shared, served, apps} {
		out = slices.AppendSeq(out, maps.Values(kind))
	}
	slices.SortFunc(out, func(a, b *Group) int { return strings.Compare(a.Name, b.Name) })
	topics := map[string]bool{}
	for _, g := range out {
		for _, p := range g.Partitions {
			topics[p.Topic] = true
		}
	}
	if err := starts(ctx, a, out, topics); err != nil {
		return nil, err
	}
	if o.Ages {
		if err := ages(ctx, o, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// classics reads groups whose members share the partitions out themselves.
func classics(ctx context.Context, a *kadm.Client, names []string) (out []*Group, err error) {
	if len(names) == 0 {
		return nil, nil
	}
	lags, err := a.Lag(ctx, names...)
	if err != nil && !reach.Partly(err) {
		return nil, fmt.Errorf("read the groups: %w", err)
	}
	for _, l := range lags.Sorted() {
		if err := l.Error(); err != nil && len(l.Lag) == 0 {
			return nil, fmt.Errorf("read group %s: %w", l.Group, err)
		}
		if l.State == "Dead" && len(l.Lag) == 0 {
			return nil, fmt.Errorf("read group %s: %w", l.Group, kerr.GroupIDNotFound)
		}
		out = append(out, ofLag(l))
	}
	return out, nil
}

func ofLag(l kadm.DescribedGroupLag) *Group {
	g := &Group{Name: l.Group, State: l.State, Type: "classic", ProtocolType: l.ProtocolType, Protocol: l.Protocol, Coordinator: l.Coordinator.NodeID}
	reader := map[TopicPartition]*Member{}
	for _, m := range l.Members {
		mine := Member{ID: m.MemberID, Client: m.ClientID, Host: strings.TrimPrefix(m.ClientHost, "/")}
		if m.InstanceID != nil {
			mine.Instance = *m.InstanceID
		}
		if c, ok := m.Assigned.AsConsumer(); ok {
			for _, t := range c.Topics {
				for _, p := range t.Partitions {
					mine.Assigned = append(mine.Assigned, TopicPartition{t.Topic, p})
				}
			}
		}
		slices.SortFunc(mine.Assigned, compare)
		g.Members = append(g.Members, mine)
	}
	slices.SortFunc(g.Members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
	for i := range g.Members {
		for _, p := range g.Members[i].Assigned {
			reader[p] = &g.Members[i]
		}
	}
	for _, p := range l.Lag.Sorted() {
		of := Partition{TopicPartition: TopicPartition{p.Topic, p.Partition}, Committed: p.Commit.At, Epoch: p.Commit.LeaderEpoch, Start: -1, End: -1, Lag: -1, Behind: -1}
		if p.Err == nil {
			of.End, of.Lag = p.End.Offset, p.Lag
		}
		if of.Lag == 0 {
			of.Behind = 0
		}
		of.Member = reader[of.TopicPartition]
		g.Partitions = append(g.Partitions, of)
	}
	return g
}

func compare(a, b TopicPartition) int {
	if n := strings.Compare(a.Topic, b.Topic); n != 0 {
		return n
	}
	return int(a.Partition - b.Partition)
}

// starts fills in where the logs begin; what lies before cannot be read, so it
// is no lag.
func starts(ctx context.Context, a *kadm.Client, groups []*Group, topics map[string]bool) error {
	if len(topics) == 0 {
		return nil
	}
	names := make([]string, 0, len(topics))
	for t := range topics {
		names = append(names, t)
	}
	found, err := a.ListStartOffsets(ctx, names...)
	var shards *kadm.ShardErrors
	if err != nil && !errors.As(err, &shards) {
		return fmt.Errorf("read the start offsets: %w", err)
	}
	for _, g := range groups {
		for i := range g.Partitions {
			p := &g.Partitions[i]
			if s, ok := found.Lookup(p.Topic, p.Partition); ok && s.Err == nil {
				p.Start = s.Offset
				if p.Lag >= 0 && p.End >= 0 && g.Type != "share" {
					p.Lag = max(0, p.End-max(p.Committed, p.Start))
				}
			}
		}
	}
	return nil
}

// ages fills in Behind of every partition with something to read. Groups that
// stand at different places of one partition need rounds of their own, since a
// client reads a partition at one place only.
func ages(ctx context.Context, o Options, groups []*Group) error {
	var rounds []round
	for _, g := range groups {
		for i := range g.Partitions {
			p := &g.Partitions[i]
			if p.Lag <= 0 {
				continue
			}
			n := slices.IndexFunc(rounds, func(r round) bool { return r.takes(p) })
			if n < 0 {
				n = len(rounds)
				rounds = append(rounds, round{})
			}
			rounds[n][p.TopicPartition] = append(rounds[n][p.TopicPartition], p)
		}
	}
	for _, r := range rounds {
		at := map[string]map[int32]kgo.Offset{}
		for p, list := range r {
			if at[p.Topic] == nil {
				at[p.Topic] = map[int32]kgo.Offset{}
			}
			at[p.Topic][p.Partition] = kgo.NewOffset().At(list[0].next())
		}
		found, err := firstTimes(ctx, o, at)
		if err != nil {
			return err
		}
		now := o.Now()
		for p, t := range found {
			for _, of := range r[p] {
				of.Behind = max(0, now.Sub(t))
			}
		}
	}
	return nil
}

// round is what one client reads: partitions at one place each.
type round map[TopicPartition][]*Partition

func (r round) takes(p *Partition) bool {
	list := r[p.TopicPartition]
	return len(list) == 0 || list[0].next() == p.next()
}

// next is the offset of the first record to read.
func (p *Partition) next() int64 { return max(p.Committed, p.Start, 0) }
