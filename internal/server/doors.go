package server

import (
	"context"
	"iter"
	"net"

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
)

// supportedFeatures are this release's features with their ranges.
var supportedFeatures = map[string][2]int16{"metadata.version": {7, 33}}

// openDoors lets clients in.
func (s *Server) openDoors() error {
	s.data = data.New(data.Options{
		Cluster: s.core(), Partitions: s.broker, View: s.view, Now: s.o.Live, Logger: s.o.Logger, Metrics: s.metrics,
	})
	door, err := kafka.New(kafka.Options{
		Cluster: s.core(), View: s.view, NodeID: s.nodeID, ClusterID: s.clusterID, APIs: s.apis(),
		HTTPAddr: s.HTTPAddr(), SupportedFeatures: supportedFeatures,
		Now: s.o.Live, Logger: s.o.Logger, Metrics: s.metrics,
	})
	if err != nil {
		return err
	}
	s.door = door
	for i, port := range s.kafkaPorts {
		l := s.o.Listen[i]
		as := kafka.Listener{Name: l.Name, AdvertiseHost: l.AdvertiseHost, AdvertisePort: l.AdvertisePort}
		s.serving.Go(func() {
			if err := door.ServeAs(port, as); err != nil {
				s.o.Logger.Error("a Kafka listener stopped", "addr", port.Addr().String(), "err", err)
			}
		})
	}
	s.openHTTP()
	return nil
}

// apis are the rows of all families.
func (s *Server) apis() []api.API {
	rows := s.data.APIs()
	rows = append(rows, topics.APIs(topics.Deps{
		Cluster: s.core(), Records: topics.LedHere(s.broker.ByName), View: s.view, NodeID: s.nodeID,
		Level: s.o.Level,
	})...)
	rows = append(rows, cluster.APIs(cluster.Deps{
		Cluster: s.core(), Storage: storage{s}, View: s.view, NodeID: s.nodeID, ClusterID: s.clusterID,
		ControllerID: func() int32 { return s.quorum.Status().Leader },
	})...)
	rows = append(rows, groups.APIs(groups.Deps{
		Cluster: s.core(), Groups: s.groups, View: s.view, Prepare: s.prepareGroups, NewID: newID,
	})...)
	rows = append(rows, telemetry.APIs(telemetry.Deps{
		Cluster: s.core(), View: s.view, Now: s.o.Live, NewID: newID, Logger: s.o.Logger, Metrics: s.metrics,
	})...)
	return append(rows, txns.APIs(txns.Deps{Cluster: s.core(), NodeID: s.nodeID, Logger: s.o.Logger})...)
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
		Handler: ops.Handler(ops.Options{
			Checks: s.checks, Metrics: s.metrics.Handler(), Pages: s.metricPages(), Version: s.o.Version, Kafka: s.KafkaAddr,
		}),
		Names: names, Logger: s.o.Logger,
	})
}

// core is the cluster as the doors see it: the image that this node's
// partitions have caught up with, and the way to change it.
func (s *Server) core() core { return core{s} }

type core struct{ s *Server }

func (c core) Image() *metadata.Image { return c.s.broker.Image() }

func (c core) Do(ctx context.Context, cmd any) (any, error) { return c.s.quorum.Do(ctx, cmd) }

// storage is what DescribeLogDirs shows.
type storage struct{ s *Server }

func (st storage) LogDirs() []cluster.LogDir {
	var out []cluster.LogDir
	for _, d := range st.s.broker.Dirs() {
		l := cluster.LogDir{Path: d.Path(), Err: d.Err(), TotalBytes: -1, UsableBytes: -1}
		if u, err := st.s.o.FS.Usage(d.Path()); err == nil {
			l.TotalBytes, l.UsableBytes = u.Total, u.Free
		}
		out = append(out, l)
	}
	return out
}

func (st storage) Replicas() iter.Seq[partition.Describe] {
	return func(yield func(partition.Describe) bool) {
		for p := range st.s.broker.Partitions() {
			if !yield(p.Describe()) {
				return
			}
		}
	}
}

// Dial opens a Kafka connection in memory.
func (s *Server) Dial(context.Context) (net.Conn, error) { return s.door.Dial() }
