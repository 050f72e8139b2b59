package nodes

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/reach"
	"ottla/internal/uuid"
	"ottla/internal/wire/own"
)

// Node is one node.
type Node struct {
	ID     int32
	Addr   string
	Rack   string
	Fenced bool // it is registered, and clients are not sent to it
	// Roles are what it is: "broker", and of the metadata quorum "leader",
	// "voter" or "observer".
	Roles []string
	// Vote is the directory under which it votes in the metadata quorum, zero when
	// it does not.
	Vote uuid.UUID
	// MetadataBehind is how many records of the metadata log it lacks: Unknown, or
	// Nothing while it has none yet and fetches a snapshot.
	MetadataBehind int64
	// Dirs are its log directories; nil when it could not be asked, with the
	// reason in Unasked.
	Dirs    []kadm.DescribedLogDir
	Unasked string
	// Closed are its replicas whose logs it cannot open.
	Closed []own.ClosedLog
}

// What MetadataBehind may be beside a number.
const (
	Unknown = -1
	Nothing = -2
)

// Partition is one partition's state.
type Partition struct {
	Topic       string
	Index       int32
	Leader      int32 // -1 when it has none
	LeaderEpoch int32
	Replicas    []int32
	InSync      []int32
	// Eligible may lead without loss although they are not in sync (KIP-966).
	Eligible []int32
	Offline  []int32
	MinISR   int
	// Adding and Removing are those of a reassignment that is under way.
	Adding, Removing []int32
}

// Name is topic-partition.
func (p *Partition) Name() string { return fmt.Sprintf("%s-%d", p.Topic, p.Index) }

// Facts are a cluster as its nodes tell it.
type Facts struct {
	Cluster    string
	Controller int32 // -1 when none is known
	Nodes      []Node
	Partitions []Partition // by topic and number
	// Lags are how far replicas are behind their leaders, by partition and
	// node; one that is not in it is not known.
	Lags map[Replica]Lag
	// Missing are facts that could not be had, with the reason.
	Missing map[string]string
}

// Replica names one.
type Replica struct {
	Topic string
	Index int32
	Node  int32
}

// Lag is how far a replica is behind.
type Lag struct {
	Records int64
	// Behind is the age of the oldest record that it lacks; 0 when it lacks
	// none, negative when it is not known.
	Behind time.Duration
}

// Sources is where facts come from.
type Sources struct {
	Client *kgo.Client
	Admin  *kadm.Client
	// Servers are addresses for a client of the look-up of ages.
	Servers []string
	// Within bounds that look-up.
	Within time.Duration
	Now    func() time.Time
	// Topics are those to look at; all when empty.
	Topics []string
}

// Gather asks for everything. Only metadata that cannot be read are an error.
func Gather(ctx context.Context, s Sources) (*Facts, error) {
	f := &Facts{Missing: map[string]string{}, Lags: map[Replica]Lag{}}
	m, err := s.Admin.Metadata(ctx, s.Topics...)
	if err != nil {
		return nil, fmt.Errorf("read the cluster's metadata: %w", err)
	}
	for _, name := range s.Topics {
		if d, ok := m.Topics[name]; !ok || d.Err != nil {
			return nil, fmt.Errorf("read the metadata of %s: %w", name, cmp.Or(d.Err, error(kerr.UnknownTopicOrPartition)))
		}
	}
	f.Cluster, f.Controller = m.Cluster, m.Controller
	f.nodes(ctx, s, m)
	f.partitions(m)
	f.quorum(ctx, s)
	f.eligible(ctx, s, m)
	f.minimums(ctx, s, m)
	f.moves(ctx, s)
	f.directories(ctx, s)
	f.lags(ctx, s)
	return f, nil
}

func (f *Facts) note(what string, err error) bool {
	if err == nil || reach.Partly(err) {
		return true
	}
	f.Missing[what] = err.Error()
	return false
}

// nodes are those that serve and, where the cluster tells them, those that are
// fenced (KIP-1073).
func (f *Facts) nodes(ctx context.Context, s Sources, m kadm.Metadata) {
	for _, b := range m.Brokers {
		n := Node{ID: b.NodeID, Addr: address(b.Host, b.Port), Roles: []string{"broker"}, MetadataBehind: Unknown}
		if b.Rack != nil {
			n.Rack = *b.Rack
		}
		f.Nodes = append(f.Nodes, n)
	}
	req := kmsg.NewPtrDescribeClusterRequest()
	req.IncludeFencedBrokers = true
	resp, err := req.RequestWith(ctx, s.Client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if f.note("fenced nodes", err) {
		for _, b := range resp.Brokers {
			if f.Node(b.NodeID) != nil {
				continue
			}
			n := Node{ID: b.NodeID, Addr: address(b.Host, b.Port), Fenced: b.IsFenced, Roles: []string{"broker"}, MetadataBehind: Unknown}
			if b.Rack != nil {
				n.Rack = *b.Rack
			}
			f.Nodes = append(f.Nodes, n)
		}
	}
	slices.SortFunc(f.Nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
}

func address(host string, port int32) string { return net.JoinHostPort(host, strconv.Itoa(int(port))) }

// Node finds one; nil when it is not known.
func (f *Facts) Node(id int32) *Node {
	for i := range f.Nodes {
		if f.Nodes[i].ID == id {
			return &f.Nodes[i]
		}
	}
	return nil
}

// Partition finds one; nil when it is not there.
func (f *Facts) Partition(topic string, index int32) *Partition {
	for i := range f.Partitions {
		if p := &f.Partitions[i]; p.Topic == topic && p.Index == index {
			return p
		}
	}
	return nil
}

func (f *Facts) partitions(m kadm.Metadata) {
	for _, t := range m.Topics.Sorted() {
		for _, p := range t.Partitions.Sorted() {
			f.Partitions = append(f.Partitions, Partition{
				Topic: t.Topic, Index: p.Partition, Leader: p.Leader, LeaderEpoch: p.LeaderEpoch,
				Replicas: p.Replicas, InSync: p.ISR, Offline: p.OfflineReplicas, MinISR: 1,
			})
		}
	}
}

// metadataLog is the quorum's topic.
const metadataLog = "__cluster_metadata"

// Quorum asks who votes in the metadata quorum, who follows it, and how far each is.
func Quorum(ctx context.Context, client *kgo.Client) (*kmsg.DescribeQuorumResponseTopicPartition, error) {
	req := kmsg.NewPtrDescribeQuorumRequest()
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic = metadataLog
	t.Partitions = append(t.Partitions, kmsg.NewDescribeQuorumRequestTopicPartition())
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err == nil && (len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1) {
		err = errors.New("the answer names no partition")
	}
	if err == nil {
		err = kerr.ErrorForCode(resp.Topics[0].Partitions[0].ErrorCode)
	}
	if err != nil {
		return nil, err
	}
	return &resp.Topics[0].Partitions[0], nil
}

// quorum gives nodes their roles in it.
func (f *Facts) quorum(ctx context.Context, s Sources) {
	q, err := Quorum(ctx, s.Client)
	if !f.note("the quorum", err) {
		return
	}
	give := func(id int32, role string) {
		n := f.Node(id)
		if n == nil { // it votes, and no broker of that number is registered
			f.Nodes = append(f.Nodes, Node{ID: id, MetadataBehind: Unknown})
			slices.SortFunc(f.Nodes, func(a, b Node) int { return cmp.Compare(a.ID, b.ID) })
			n = f.Node(id)
		}
		if !slices.Contains(n.Roles, role) {
			n.Roles = append(n.Roles, role)
		}
	}
	var leader kmsg.DescribeQuorumResponseTopicPartitionReplicaState
	leader.LogEndOffset = -1
	for _, v := range q.CurrentVoters {
		if v.ReplicaID == q.LeaderID {
			leader = v
			give(v.ReplicaID, "leader")
		} else {
			give(v.ReplicaID, "voter")
		}
		f.Node(v.ReplicaID).Vote = v.ReplicaDirectoryID
	}
	for _, o := range q.Observers {
		if f.Node(o.ReplicaID) != nil {
			give(o.ReplicaID, "observer")
		}
	}
	for _, r := range slices.Concat(q.CurrentVoters, q.Observers) {
		if n := f.Node(r.ReplicaID); n != nil {
			n.MetadataBehind = behindLeader(&leader, &r)
		}
	}
}

// heardMs is how long after it was heard last a node still counts as being there.
const heardMs = 5000

// behindLeader is how far a node is behind the leader in the metadata log.
func behindLeader(leader, r *kmsg.DescribeQuorumResponseTopicPartitionReplicaState) int64 {
	switch {
	case leader.LogEndOffset < 0:
		return Unknown
	case r.LogEndOffset >= 0:
		return max(leader.LogEndOffset-r.LogEndOffset, 0)
	case r.LastFetchTimestamp < 0 || r.LastFetchTimestamp < leader.LastFetchTimestamp-heardMs:
		return Unknown // it is not there
	}
	return Nothing
}

// eligible asks for eligible leader replicas, which Metadata does not tell.
func (f *Facts) eligible(ctx context.Context, s Sources, m kadm.Metadata) {
	var cursor *kmsg.DescribeTopicPartitionsRequestCursor
	names := m.Topics.Names()
	if len(names) == 0 {
		return
	}
	for {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		for _, name := range names {
			t := kmsg.NewDescribeTopicPartitionsRequestTopic()
			t.Topic = name
			req.Topics = append(req.Topics, t)
		}
		req.Cursor = cursor
		resp, err := req.RequestWith(ctx, s.Client)
		if !f.note("eligible leader replicas", err) {
			return
		}
		for _, t := range resp.Topics {
			if t.Topic == nil {
				continue
			}
			for _, p := range t.Partitions {
				if mine := f.Partition(*t.Topic, p.Partition); mine != nil {
					mine.Eligible = p.EligibleLeaderReplicas
				}
			}
		}
		if resp.NextCursor == nil {
			return
		}
		next := kmsg.NewDescribeTopicPartitionsRequestCursor()
		next.Topic, next.Partition = resp.NextCursor.Topic, resp.NextCursor.Partition
		if cursor != nil && next.Topic == cursor.Topic && next.Partition <= cursor.Partition {
			return // a server that goes nowhere
		}
		cursor = &next
	}
}

func (f *Facts) minimums(ctx context.Context, s Sources, m kadm.Metadata) {
	names := m.Topics.Names()
	if len(names) == 0 {
		return
	}
	configs, err := s.Admin.DescribeTopicConfigs(ctx, names...)
	if !f.note("the topics' settings", err) {
		return
	}
	least := map[string]int{}
	for _, rc := range configs {
		for _, c := range rc.Configs {
			if n, err := strconv.Atoi(c.MaybeValue()); c.Key == "min.insync.replicas" && err == nil {
				least[rc.Name] = n
			}
		}
	}
	for i := range f.Partitions {
		p := &f.Partitions[i]
		p.MinISR = max(least[p.Topic], 1)
	}
}

// moves asks for all reassignments, which package kadm asks for by name alone.
func (f *Facts) moves(ctx context.Context, s Sources) {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	req.TimeoutMillis = 30_000
	resp, err := req.RequestWith(ctx, s.Client)
	if err == nil {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if !f.note("reassignments", err) {
		return
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if mine := f.Partition(t.Topic, p.Partition); mine != nil {
				mine.Adding, mine.Removing = p.AddingReplicas, p.RemovingReplicas
			}
		}
	}
}
