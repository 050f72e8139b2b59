package server

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/broker"
	"ottla/internal/config"
	"ottla/internal/control"
	"ottla/internal/coordinator"
	"ottla/internal/datadir"
	"ottla/internal/gateway/front"
	"ottla/internal/kafka"
	"ottla/internal/kafka/data"
	"ottla/internal/kafka/shares"
	"ottla/internal/kafka/timers"
	"ottla/internal/log"
	"ottla/internal/marker"
	"ottla/internal/metric"
	"ottla/internal/outbox"
	"ottla/internal/quorum"
	"ottla/internal/txn/vouch"
	"ottla/internal/uuid"
)

// DefaultVerifyAge is how long bytes that were written or checked are trusted
// before a read checks their checksums again.
const DefaultVerifyAge = 10 * time.Minute

const (
	// politeTimeout bounds how long clients may hold up a stop: HTTP requests
	// that are under way are answered. Kafka's door has a bound of its own.
	politeTimeout = 2 * time.Second
	// closeTimeout bounds each step of a stop that waits for this node itself,
	// whose disks may be slow: more is a disk that hangs.
	closeTimeout = 30 * time.Second
)

// Server is a running node.
type Server struct {
	o      Options
	ctx    context.Context // of everything the node runs
	cancel context.CancelFunc
	// staying ends when the node begins to stop.
	staying context.Context
	leave   context.CancelFunc

	held       []*datadir.Dir
	broken     map[string]error // directories that could not be taken, by path
	dirs       []*log.Dir
	failed     chan error // why the node cannot go on
	kafkaPorts []net.Listener
	httpPort   net.Listener

	clusterID string
	nodeID    int32
	entered   atomic.Int64 // the epoch of the registration with which it began to serve; 0 before
	view      *config.View
	metrics   *metric.Registry
	broker    *broker.Broker
	quorum    *quorum.Node
	groups    *coordinator.Runtime
	txns      *coordinator.Runtime
	states    *coordinator.Runtime // where share groups stand
	timing    *coordinator.Runtime // of timers
	carrier   *timers.Carrier      // appends them
	timers    *timers.Family       // of all nodes
	lines     *timers.Lines
	shares    atomic.Pointer[shares.Family]
	making    making
	marker    *marker.Writer
	vouch     *vouch.Coordinators // of transactions, of all nodes
	// peers are asked for what other nodes lead; nil without any. It is set
	// before the coordinators are made.
	peers  outbox.Peers
	others others
	events events
	// control is the way to the controller; applied, how far this node follows it.
	control *control.Client
	applied applied
	// incarnation is this process to the controller.
	incarnation uuid.UUID
	// fed tells that the broker has its first image; of the quorum's goroutine.
	fed     bool
	data    *data.Family
	door    *kafka.Door
	admits  bool // the door serves the Kafka ports
	http    *front.Front
	serving sync.WaitGroup // accept loops, and who looks after a retirement
	// forgetting are those who tell coordinators of deleted and changed topics,
	// and who has internal topics grow.
	forgetting sync.WaitGroup
	news       topicNews
	pace       pace
	widening   once
	forgets    once // who is no node any more, see dismiss.go
}

// Start starts a node and returns when it serves; ctx bounds the start alone.
// What was started is stopped again when it fails.
func Start(ctx context.Context, o Options) (*Server, error) {
	if len(o.Dirs) == 0 || len(o.Listen) == 0 {
		return nil, errors.New("a node needs a data directory and a Kafka listener")
	}
	if o.Live == nil {
		o.Live = o.Now
	}
	s := &Server{o: o, metrics: metric.New(), making: newMaking(), incarnation: newID(), broken: map[string]error{}, failed: make(chan error, 1)}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.staying, s.leave = context.WithCancel(s.ctx)
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	o.Clock.Join(s)
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	if len(s.o.Join) > 0 { // the others are told where it listens
		if err := s.bindPorts(); err != nil {
			return err
		}
	}
	open := turnAway(s.kafkaPorts)
	joined, err := s.joinCluster(ctx)
	open()
	if err != nil {
		return err
	}
	if err := s.takeDirs(joined); err != nil {
		return err
	}
	if err := s.bindPorts(); err != nil {
		return err
	}
	if err := s.openLogs(); err != nil {
		return err
	}
	if err := s.startCore(); err != nil {
		return err
	}
	if err := s.makeDoor(); err != nil {
		return err
	}
	s.openDoors()
	if err := s.enter(ctx); err != nil {
		return err
	}
	s.door.LetIn()
	s.resumeEvents()
	return nil
}

// bindPorts takes the ports before anything slow: a busy one stops the start
// at once. Clients that come while the node is let into a cluster are turned away,
// those that come later wait in the accept queue.
func (s *Server) bindPorts() error {
	if len(s.kafkaPorts) > 0 {
		return nil
	}
	for _, l := range s.o.Listen {
		port, err := bind("Kafka", l.Addr)
		if err != nil {
			return err
		}
		s.kafkaPorts = append(s.kafkaPorts, port)
	}
	if s.o.HTTP == "" {
		return nil
	}
	take := bind
	if s.o.HTTPOptional {
		take = bindOptional
	}
	port, err := take("HTTP", s.o.HTTP)
	s.httpPort = port
	return err
}

// KafkaAddr is the first Kafka listener's address.
func (s *Server) KafkaAddr() string { return s.kafkaPorts[0].Addr().String() }

// HTTPAddr is the HTTP port's address, "" when there is none.
func (s *Server) HTTPAddr() string {
	if s.httpPort == nil {
		return ""
	}
	return s.httpPort.Addr().String()
}

// Failed carries one error when the node cannot go on, for example because the
// disk of the metadata log fails: whoever runs it closes it.
func (s *Server) Failed() <-chan error { return s.failed }

// fatal is told why the node cannot go on; the first reason counts.
func (s *Server) fatal(err error) {
	if s.others.speaker != nil {
		s.others.speaker.Distrust()
	}
	select {
	case s.failed <- err:
		s.o.Logger.Error("the node cannot go on", "err", err)
	default:
	}
}

// ClusterID and NodeID tell who this is.
func (s *Server) ClusterID() string { return s.clusterID }

// NodeID is the node's number in the cluster.
func (s *Server) NodeID() int32 { return s.nodeID }

// Close stops the node in the reverse order of its start and waits for all of
// it. Others lead what it led before it stops answering, where there are any.
func (s *Server) Close() error {
	s.o.Clock.Leave(s)
	s.leave()
	s.retire()
	var errs []error
	if s.http != nil {
		errs = append(errs, within(politeTimeout, s.http.Close))
	} else if s.httpPort != nil {
		errs = append(errs, s.httpPort.Close())
	}
	s.closeEvents()
	if s.door != nil {
		s.groups.LetGo()
		errs = append(errs, within(closeTimeout, s.door.Close))
	}
	if !s.admits { // else the door has closed them
		for _, p := range s.kafkaPorts {
			errs = append(errs, p.Close())
		}
	}
	s.serving.Wait()
	if s.data != nil {
		s.data.Close()
	}
	s.closeShares()
	errs = append(errs, within(closeTimeout, s.sayGoodbye), s.stopCore(), s.closeOthers())
	s.cancel()
	return errors.Join(errs...)
}

// within takes a step of a stop that has time of its own.
func within(most time.Duration, step func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	return step(ctx)
}
