package server

import (
	"context"
	"fmt"
	"time"

	"ottla/internal/broker"
	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/sharegroup"
	"ottla/internal/kafka/shares"
	"ottla/internal/metadata"
	"ottla/internal/record"
	"ottla/internal/share/persist"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// makeStates makes the runtime of where share groups stand.
func (s *Server) makeStates() error {
	n := s.view.Int(nil, "share.coordinator.state.topic.compression.codec")
	if n < int64(record.None) || n > int64(record.Zstd) {
		return fmt.Errorf("share.coordinator.state.topic.compression.codec is %d; it must be 0 (none), 1 (gzip), 2 (snappy), 3 (lz4) or 4 (zstd)", n)
	}
	s.states = coordinator.NewRuntime(coordinator.Options{
		Topic:      broker.ShareStateTopic,
		Partitions: func() int { return s.partitionsOf(broker.ShareStateTopic) },
		New:        func(p int32) coordinator.Machine { return store.New(s.stateSettings(p)) },
		Codec:      record.Codec(n),
		Now:        s.o.Live,
		Trusted:    s.trusted,
		Mute:       s.mute,
		Wall:       s.o.Now,
		Logger:     s.o.Logger,
		Metrics:    s.coordinatorMetrics(),
	})
	return nil
}

// pruneEvery is how often the log of a share coordinator is cut, as in Kafka
// (share.coordinator.state.topic.prune.interval.ms, not public).
const pruneEvery = 5 * time.Minute

func (s *Server) stateSettings(index int32) store.Settings {
	return store.Settings{
		SnapshotEvery: int(s.view.Int(nil, "share.coordinator.snapshot.update.records.per.snapshot")),
		PruneEvery:    pruneEvery,
		Prune:         func(below int64) { s.pruneStates(index, below) },
	}
}

// pruneStates deletes what a share coordinator needs no more.
func (s *Server) pruneStates(index int32, below int64) {
	p, code := s.broker.ByName([]byte(broker.ShareStateTopic), index)
	err := error(code)
	if code == wire.None {
		_, err = p.DeleteRecords(below)
	}
	if err != nil {
		s.o.Logger.Debug("the log of a share coordinator is not cut; it is tried again", "topic", broker.ShareStateTopic,
			"partition", index, "offset", below, "err", err)
	}
}

// shareKind makes the share groups of a group coordinator.
func (s *Server) shareKind() func(kind.Host) kind.Kind {
	return sharegroup.New(sharegroup.Settings{
		Image:   func() *metadata.Image { return s.broker.Image() },
		Of:      s.shareTimes,
		Pace:    s.pace.interval,
		Count:   s.pace.count,
		Gone:    s.shareMemberGone,
		MaxSize: int(s.view.Int(nil, "group.share.max.size")),
	})
}

func (s *Server) shareTimes(group string) sharegroup.Times {
	img := s.broker.Image()
	t := sharegroup.Times{Session: s.view.GroupDuration(img, group, "share.session.timeout.ms")}
	if s.view.GroupSets(img, group, "share.heartbeat.interval.ms") {
		t.Heartbeat = s.view.GroupDuration(img, group, "share.heartbeat.interval.ms")
	}
	return t
}

// shareMemberGone frees what a member held that left its group.
func (s *Server) shareMemberGone(group, member string) {
	if f := s.shares.Load(); f != nil {
		f.MemberGone(group, member)
	}
}

// openShares makes the family of the share APIs.
func (s *Server) openShares() *shares.Family {
	f := shares.New(shares.Deps{
		Cluster: s.core(), Partitions: s.broker, Groups: s.groups, States: s.states, Persister: s.persister(), Prepare: s.prepareTopic,
		Peers: s.peers, NodeID: s.nodeID, Mute: s.mute, Morgue: s.makeMorgue(),
		View: s.view, Now: s.o.Live, Wall: s.o.Now, Logger: s.o.Logger,
		Letters: s.metrics.Counter("ottla_share_dead_letters_total"), LettersFailed: s.metrics.Counter("ottla_share_dead_letters_failed_total"),
	})
	s.shares.Store(f)
	return f
}

// persister reaches the share coordinators of all nodes.
func (s *Server) persister() *persist.States {
	return persist.New(persist.Options{
		NodeID: s.nodeID, Topic: broker.ShareStateTopic, Image: s.image, Local: s.states, Peers: s.peers,
		Timeout: s.view.Duration(nil, "share.coordinator.write.timeout.ms"),
	})
}

// closeShares stops it; the door is closed. The coordinator of states goes
// first, so that whoever waits for a write hears of it, however the disk is.
func (s *Server) closeShares() {
	if s.states != nil {
		s.states.Close()
	}
	if f := s.shares.Load(); f != nil {
		f.Close()
	}
}

// followShares tells share-partitions of changed settings and deleted topics.
func (s *Server) followShares(d *metadata.Delta) {
	f := s.shares.Load()
	if f == nil {
		return
	}
	for _, c := range d.Configs {
		switch c.Type {
		case metadata.ResourceGroup:
			f.Lead().Configure(c.Name)
		case metadata.ResourceBroker:
			f.Lead().Configure("") // all heed what the broker's settings say
		}
	}
	if len(d.Deleted) == 0 || s.partitionsOf(broker.ShareStateTopic) == 0 {
		return
	}
	gone := store.Forget{}
	ids := map[uuid.UUID]bool{}
	for _, t := range d.Deleted {
		gone.Topics = append(gone.Topics, t.ID)
		ids[t.ID] = true
	}
	f.Lead().ForgetTopics(func(id uuid.UUID) bool { return ids[id] })
	s.forgetting.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, forgetTimeout)
		defer cancel()
		for more := true; more; {
			more = false
			for _, a := range s.states.Each(ctx, gone) {
				if a.Err != nil {
					s.o.Logger.Warn("states of share groups in deleted topics stay", "topic", broker.ShareStateTopic,
						"partition", a.Partition, "err", a.Err)
				}
				left, ok := a.Body.(bool)
				more = more || ok && left
			}
		}
	})
}
