package server

import (
	"context"
	"iter"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/gateway/front"
	"ottla/internal/gateway/ops"
	"ottla/internal/kafka"
	"ottla/internal/kafka/api"
	"ottla/internal/kafka/cluster"
	"ottla/internal/kafka/data"
	"ottla/internal/kafka/groups"
	"ottla/internal/kafka/telemetry"
	"ottla/internal/kafka/topics"
	"ottla/internal/kafka/txns"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/quorum"
	"ottla/internal/wire/own"
)

// makeDoor makes the Kafka door and the families behind it; nobody is let in
// yet.
func (s *Server) makeDoor() error {
	s.data = data.New(data.Options{
		Cluster: s.core(), Partitions: s.broker, Transactions: s.vouch, View: s.view, Now: s.o.Live, Logger: s.o.Logger, Metrics: s.metrics,
		Trusted: s.trusted, Mute: s.mute,
		Throttle: s.broker.LeaderQuota(),
	})
	door, err := kafka.New(kafka.Options{
		Cluster: s.core(), View: s.view, NodeID: s.nodeID, ClusterID: s.clusterID, APIs: s.apis(),
		HTTPAddr: s.HTTPAddr(), SupportedFeatures: supportedFeatures(), FixedFeatures: fixedFeatures(),
		Nodes: s.others.nodes.Handle, Hold: true, HoldFor: s.holdFor(), Mute: s.mute, Memory: s.memoryListener(), Now: s.o.Live, Logger: s.o.Logger, Metrics: s.metrics,
	})
	if err != nil {
		return err
	}
	s.door = door
	s.makeEvents()
	if err := s.makeFunctions(); err != nil {
		return err
	}
	if err := s.makeSchedules(); err != nil {
		return err
	}
	s.makeBuses()
	s.events.made.Store(true)
	return nil
}

// holdFor is how long clients wait for this node to serve: where others do, not
// for long; a node alone is all they have.
func (s *Server) holdFor() time.Duration {
	if len(s.o.Join) > 0 || s.held[0].Joined || len(s.quorum.Members()) > 1 {
		return time.Second
	}
	return 0
}

// openDoors opens the ports: other nodes come in, clients wait until LetIn.
func (s *Server) openDoors() {
	s.admits = true
	for i, port := range s.kafkaPorts {
		l := s.o.Listen[i]
		as := kafka.Listener{Name: l.Name, AdvertiseHost: l.AdvertiseHost, AdvertisePort: l.AdvertisePort}
		s.serving.Go(func() {
			if err := s.door.ServeAs(port, as); err != nil {
				s.o.Logger.Error("a Kafka listener stopped", "addr", port.Addr().String(), "err", err)
			}
		})
	}
	s.openHTTP()
}

// apis are the rows of all families.
func (s *Server) apis() []api.API {
	rows := s.data.APIs()
	rows = append(rows, topics.APIs(topics.Deps{
		Cluster: s.core(), Records: topics.LedHere(s.broker.ByName, s.trusted), View: s.view, NodeID: s.nodeID,
		Level: s.o.Level,
	})...)
	rows = append(rows, cluster.APIs(cluster.Deps{
		Cluster: s.core(), Storage: storage{s}, View: s.view, NodeID: s.nodeID, ClusterID: s.clusterID,
		ControllerID: func() int32 { return s.quorum.Status().Leader }, Quorum: s.describeQuorum, Members: members{s},
		Settled: s.others.keeper.Settled, Trusted: s.trusted,
	})...)
	share := s.openShares()
	rows = append(rows, share.APIs()...)
	rows = append(rows, s.makeLeases().APIs()...)
	rows = append(rows, groups.APIs(groups.Deps{
		Cluster: s.core(), Groups: s.groups, Txns: s.txns, States: s.states, Purge: share.Purge, View: s.view, Prepare: s.prepareSettled, NewID: newID,
	})...)
	rows = append(rows, telemetry.APIs(telemetry.Deps{
		Cluster: s.core(), View: s.view, Now: s.o.Live, NewID: newID, Logger: s.o.Logger, Metrics: s.metrics,
	})...)
	rows = append(rows, s.timers.APIs()...)
	rows = append(rows, s.nodeRows()...)
	return append(rows, txns.APIs(txns.Deps{
		Cluster: s.core(), Txns: s.txns, Groups: s.groups, Vouch: s.vouch, Partitions: s.broker, Ends: s.marker, Prepare: s.prepareTopic,
		View: s.view, NodeID: s.nodeID, Logger: s.o.Logger,
	})...)
}

func (s *Server) openHTTP() {
	if s.httpPort == nil {
		return
	}
	var names []string
	for _, l := range s.o.Listen {
		if l.AdvertiseHost != "" {
			names = append(names, l.AdvertiseHost)
		}
	}
	s.http = front.Serve(s.httpPort, front.Options{
		Handler: s.eventsHandler(ops.Handler(ops.Options{
			Checks: s.checks, Metrics: s.metrics.Handler(), Pages: s.metricPages(), Version: s.o.Version, Kafka: s.KafkaAddr,
		})),
		Names: names, Logger: s.o.Logger,
	})
}

// core is the cluster as the doors see it: the image that this node's
// partitions have caught up with, and the way to change it.
func (s *Server) core() core { return core{s} }

type core struct{ s *Server }

// Image is the metadata that this node serves by.
func (c core) Image() *metadata.Image { return c.s.broker.Image() }

// Do gives a command to the controller and waits for its reply.
func (c core) Do(ctx context.Context, cmd any) (any, error) { return c.s.control.DoOrAway(ctx, cmd) }

// describeQuorum is the quorum's status as DescribeQuorum shows it.
func (s *Server) describeQuorum() cluster.Quorum {
	st := s.quorum.Status()
	q := cluster.Quorum{Leader: st.Leader, Epoch: st.Epoch, HighWatermark: st.HighWatermark}
	for _, m := range st.Voters {
		q.Voters = append(q.Voters, replicaOf(m))
	}
	for _, m := range st.Observers {
		q.Observers = append(q.Observers, replicaOf(m))
	}
	return q
}

func replicaOf(r quorum.Replica) cluster.QuorumReplica {
	return cluster.QuorumReplica{
		ID: r.ID, DirectoryID: r.DirectoryID, LogEndOffset: r.LogEndOffset, LastFetchMs: r.LastFetchMs, LastCaughtUpMs: r.LastCaughtUpMs,
	}
}

// members is how requests about the metadata quorum reach its leader.
type members struct{ s *Server }

// Change changes the quorum, where this node leads it.
func (m members) Change(ctx context.Context, c quorum.MembershipChange) error {
	return m.s.quorum.Change(ctx, c)
}

// Forward gives a request to another node.
func (m members) Forward(ctx context.Context, node int32, req kmsg.Request) (kmsg.Response, error) {
	return m.s.others.pool.Call(ctx, node, req)
}

// storage is what DescribeLogDirs shows.
type storage struct{ s *Server }

// LogDirs describes the log directories.
func (st storage) LogDirs() []cluster.LogDir {
	closed := map[string][]own.ClosedLog{}
	for _, c := range st.s.broker.Closed() {
		closed[c.Dir] = append(closed[c.Dir], own.ClosedLog{Topic: c.Topic, Partition: c.Index, Why: c.Why.Error()})
	}
	var out []cluster.LogDir
	for _, d := range st.s.broker.Dirs() {
		l := cluster.LogDir{Path: d.Path(), Err: d.Err(), TotalBytes: -1, UsableBytes: -1, Cordoned: st.s.broker.Cordoned(d), Closed: closed[d.Path()]}
		if u, err := st.s.o.FS.Usage(d.Path()); err == nil {
			l.TotalBytes, l.UsableBytes = u.Total, u.Free
		}
		out = append(out, l)
	}
	return out
}

// Replicas goes through all partitions that this node holds.
func (st storage) Replicas() iter.Seq[partition.Describe] {
	return func(yield func(partition.Describe) bool) {
		for p := range st.s.broker.Partitions() {
			if !yield(p.Describe()) {
				return
			}
		}
	}
}

// Moves lists the replicas on their way to another directory.
func (st storage) Moves() []cluster.Move {
	var out []cluster.Move
	for _, m := range st.s.broker.Moves() {
		out = append(out, cluster.Move(m))
	}
	return out
}

// Move begins to move a replica to another directory.
func (st storage) Move(topic string, index int32, dir string) error {
	return st.s.broker.Move(topic, index, dir)
}

// Dial opens a Kafka connection in memory.
func (s *Server) Dial(context.Context) (net.Conn, error) { return s.door.Dial() }
