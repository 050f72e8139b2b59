package server

import (
	"context"
	"fmt"
	"time"

	"ottla/internal/broker"
	"ottla/internal/coordinator"
	"ottla/internal/marker"
	"ottla/internal/metadata"
	"ottla/internal/txn"
	"ottla/internal/txn/vouch"
)

// makeTxns makes the runtime of transactions. Its markers are written by a
// writer that needs the broker, which needs the runtime.
func (s *Server) makeTxns() {
	o := txn.Options{
		Settings: s.txnSettings(), Markers: markers{s},
		Level: func() int16 { return s.broker.Image().FeatureLevel(metadata.TransactionVersion) },
	}
	s.txns = coordinator.NewRuntime(coordinator.Options{
		Topic:      broker.TransactionsTopic,
		Partitions: func() int { return s.partitionsOf(broker.TransactionsTopic) },
		New:        func(int32) coordinator.Machine { return txn.New(o) },
		Now:        s.o.Live,
		Trusted:    s.trusted,
		Mute:       s.mute,
		Wall:       s.o.Now,
		Logger:     s.o.Logger,
		Metrics:    s.coordinatorMetrics(),
	})
	s.vouch = vouch.New(vouch.Options{NodeID: s.nodeID, Topic: broker.TransactionsTopic, Image: s.image, Local: s.txns, Peers: s.peers})
}

// makeMarkers makes the writer of markers; the broker is there.
func (s *Server) makeMarkers() {
	s.marker = marker.New(marker.Options{
		Partitions: s.broker, Groups: s.groups, OffsetsTopic: broker.OffsetsTopic, Now: s.o.Now, Logger: s.o.Logger,
		NodeID: s.nodeID, Image: s.image, Peers: s.peers,
	})
}

// markers is the node's writer of markers.
type markers struct{ s *Server }

// Write implements txn.Markers.
func (m markers) Write(ctx context.Context, x txn.Marker, done func(error)) {
	m.s.marker.Write(ctx, x, done)
}

// txnSettings are read once: Kafka changes none of them while a node runs.
func (s *Server) txnSettings() txn.Settings {
	ms := func(name string) time.Duration { return s.view.Duration(nil, name) }
	return txn.Settings{
		MaxTimeout:    ms("transaction.max.timeout.ms"),
		Expiration:    ms("transactional.id.expiration.ms"),
		AbortInterval: ms("transaction.abort.timed.out.transaction.cleanup.interval.ms"),
		ForgetCheck:   ms("transaction.remove.expired.transaction.cleanup.interval.ms"),
	}
}

// settleTxns aborts what has run out of its time, and waits for the end of it.
func (s *Server) settleTxns(ctx context.Context) error {
	if s.partitionsOf(broker.TransactionsTopic) == 0 {
		return nil
	}
	if err := s.txns.SettleAll(ctx); err != nil {
		return fmt.Errorf("wait for the coordinators of transactions: %w", err)
	}
	for more := true; more; {
		more = false
		for _, a := range s.txns.Each(ctx, txn.Sweep{}) {
			if a.Err != nil {
				return fmt.Errorf("end the transactions in %s-%d: %w", broker.TransactionsTopic, a.Partition, a.Err)
			}
			left, ok := a.Body.(bool)
			more = more || ok && left
		}
	}
	return nil
}

// transactionsByState counts transactional ids; those of a coordinator that is
// slower than a scrape waits are left out.
func (s *Server) transactionsByState() map[string]float64 {
	ctx, cancel := context.WithTimeout(s.ctx, groupsPatience)
	defer cancel()
	n := map[string]float64{}
	for state := txn.Empty; state <= txn.CompleteAbort; state++ {
		n[state.String()] = 0
	}
	for _, a := range s.txns.Each(ctx, txn.List{DurationMs: -1}) {
		if list, ok := a.Body.([]txn.Listed); ok {
			for i := range list {
				n[list[i].State.String()]++
			}
		}
	}
	return n
}

// stopTxns stops the coordinators of transactions and who writes for them.
func (s *Server) stopTxns() {
	if s.txns != nil {
		s.txns.Close()
	}
	if s.marker != nil {
		s.marker.Close()
	}
}
