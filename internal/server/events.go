package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/object"
	"ottla/internal/event/outbound"
	"ottla/internal/event/queue"
	"ottla/internal/event/schedule"
	"ottla/internal/gateway/aws"
	awsevents "ottla/internal/gateway/aws/events"
	"ottla/internal/gateway/aws/lambda"
	"ottla/internal/gateway/aws/scheduler"
	awssns "ottla/internal/gateway/aws/sns"
	"ottla/internal/gateway/aws/sqs"
	"ottla/internal/gateway/aws/sts"
	clockdoor "ottla/internal/gateway/clock"
	"ottla/internal/gateway/rest"
	"ottla/internal/gateway/topics"
	"ottla/internal/kafka"
	"ottla/internal/kafka/post"
	"ottla/internal/kafka/queues"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metadata"
	"ottla/internal/share/store"
)

// events is the event layer: a client of this node's Kafka door. It is opened
// last and closed first, and costs nothing before somebody uses it.
type events struct {
	leases  *queues.Leases
	objects *object.Store
	queues  *queue.Service
	morgue  *queue.Morgue // of dead letters

	outbound  *outbound.Client // calls addresses that users gave
	schedules *schedule.Service
	buses     buses

	// made is set when all of this is: the quorum tells of topics before.
	made atomic.Bool
}

// makeLeases makes the way to share-partitions by receipts, whose rows the door
// needs.
func (s *Server) makeLeases() *queues.Leases {
	s.events.leases = queues.New(queues.Options{
		NodeID: s.nodeID, Image: s.image, Partitions: s.broker, Peers: s.peers, Trusted: s.trusted, Mute: s.mute,
		Lead: func() *lead.Manager {
			if f := s.shares.Load(); f != nil {
				return f.Lead()
			}
			return nil
		},
		Reset: func(ctx context.Context, key store.Key, start int64) error {
			f := s.shares.Load()
			if f == nil {
				return errors.New("this node does not serve yet")
			}
			return f.Reset(ctx, key, start)
		},
	})
	return s.events.leases
}

// makeMorgue makes what writes the dead letters of queues.
func (s *Server) makeMorgue() *queue.Morgue {
	s.events.morgue = queue.NewMorgue(s.eventClient, func(key store.Key) (string, bool) {
		if t := s.image().TopicByID(key.TopicID); t != nil {
			return t.Name, true
		}
		return "", false
	}, s.mostBytes)
	s.events.morgue.Written = s.metrics.Counters("ottla_queue_dead_letters_total", 200)
	return s.events.morgue
}

// mostBytes is what a batch of a topic may have.
func (s *Server) mostBytes(topic string) int {
	o := post.Office{View: s.view, Image: s.image}
	return o.MostBytes(topic)
}

// makeEvents makes the event layer; the door is there.
func (s *Server) makeEvents() {
	e := &s.events
	e.objects = object.New(object.Options{
		Client: s.eventClient, Now: s.o.Now, NewID: func() string { return newID().String() }, Logger: s.o.Logger,
		Serves: func() bool { return s.entered.Load() > 0 }, Trusted: s.trusted,
		Exists: func() bool { return s.image().TopicByName(object.Topic) != nil },
		Create: s.makeObjectsTopic,
	})
	e.queues = queue.New(queue.Options{
		Objects: e.objects, Client: s.eventClient, Leases: e.leases, Partitions: s.broker, MostBytes: s.mostBytes, Image: s.image, Timers: s.timers,
		Now: s.o.Now, NodeID: s.nodeID, Logger: s.o.Logger, Metrics: s.metrics,
	})
}

// resumeEvents goes on with what the event layer was about when the node ended. What
// followEvents let pass before all was made is looked at here.
func (s *Server) resumeEvents() {
	s.events.queues.Resume()
	s.events.objects.Wake()
	s.events.schedules.Look()
	s.lookAtBuses()
}

// followEvents tells the event layer of topics that have come to be.
func (s *Server) followEvents(d *metadata.Delta) {
	if !s.events.made.Load() {
		return
	}
	if slices.ContainsFunc(d.Created, func(t *metadata.Topic) bool { return t.Name == object.Topic }) {
		s.events.objects.Wake()
	}
	s.events.queues.Look()
	s.events.schedules.Look()
	s.lookAtBuses()
}

// closeEvents ends the event layer; the door is still there.
func (s *Server) closeEvents() {
	if s.events.schedules != nil { // their runs call functions, and write to buses
		s.events.schedules.Close()
	}
	s.closeBuses()
	if f := s.events.buses.functions; f != nil {
		f.Close()
	}
	if s.events.outbound != nil {
		s.events.outbound.Close()
	}
	if s.events.queues != nil {
		s.events.queues.Close()
		s.events.morgue.Close()
		s.events.objects.Close()
	}
}

// settleEvents ends the locks of messages that a moved clock ends, and returns when
// those can be taken, or lie with the dead letters.
func (s *Server) settleEvents(ctx context.Context) error {
	f := s.shares.Load()
	if f == nil {
		return nil
	}
	if err := f.Lead().Settle(ctx); err != nil {
		return fmt.Errorf("wait for messages whose locks have ended: %w", err)
	}
	return nil
}

// eventsHandler is the HTTP doors of the event layer, before another handler.
func (s *Server) eventsHandler(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	rest.Mount(mux, rest.Options{Queues: s.events.queues, Schedules: s.events.schedules, Buses: s.events.buses.bus, Connections: s.events.buses.connections, SNS: s.events.buses.sns, Mappings: s.events.buses.mappings, Lookback: s.lookback(), Trusted: s.o.Insecure, Logger: s.o.Logger})
	clockdoor.Mount(mux, clockdoor.Options{Clock: s.o.Clock, Trusted: s.o.Insecure})
	awssns.Mount(mux, s.events.buses.sns)
	topics.Mount(mux, topics.Options{Topics: s.events.buses.tail, Buses: s.events.buses.bus, Trusted: s.o.Insecure, Logger: s.o.Logger})
	mux.Handle("/", next)
	return aws.New(aws.Options{
		Services: []*aws.Service{
			sqs.Service(s.events.queues), scheduler.Service(s.events.schedules), sts.Service(), awssns.Service(s.events.buses.sns),
			lambda.Service(lambda.Options{Mappings: s.events.buses.mappings, NewID: func() string { return newID().Standard() }}),
			awsevents.Service(awsevents.Options{Buses: s.events.buses.bus, Connections: s.events.buses.connections, Now: s.o.Now, Logger: s.o.Logger}),
		}, Trusted: s.o.Insecure, Logger: s.o.Logger, Next: mux,
	})
}

// eventClient makes a Kafka client of this node: in memory to itself, over the
// network to others.
func (s *Server) eventClient(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(s.ownAddresses()[0]), kgo.Dialer(s.dialAny), kgo.ClientID("ottla-events"), kgo.DisableClientMetrics(),
		kgo.MetadataMinAge(20 * time.Millisecond), kgo.RequiredAcks(kgo.AllISRAcks()),
	}, opts...)...)
}

// memoryListener is the listener that connections in memory belong to: their
// clients are told of this node as all are, and dialAny knows that address.
func (s *Server) memoryListener() kafka.Listener {
	e := s.endpoints()[0]
	return kafka.Listener{Name: e.Name, AdvertiseHost: e.Host, AdvertisePort: int32(e.Port)}
}

// ownAddresses are where clients may be told that this node is.
func (s *Server) ownAddresses() []string {
	var out []string
	for _, e := range s.endpoints() {
		out = append(out, hostPort(e.Host, e.Port))
	}
	for _, port := range s.kafkaPorts {
		host, n := splitAddr(port.Addr())
		out = append(out, net.JoinHostPort(host, strconv.Itoa(int(n))))
	}
	return out
}

// dialAny opens a Kafka connection to a node of the cluster.
func (s *Server) dialAny(ctx context.Context, network, addr string) (net.Conn, error) {
	if slices.Contains(s.ownAddresses(), addr) {
		return s.Dial(ctx)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

// makeObjectsTopic makes the topic of objects, and returns when it serves.
func (s *Server) makeObjectsTopic(ctx context.Context) error {
	return s.makeEventTopic(ctx, object.Topic, 1, map[string]string{"cleanup.policy": "compact"})
}

// Queues are the cluster's queues, as this node reaches them.
func (s *Server) Queues() *queue.Service { return s.events.queues }

// Objects are the definitions of the event layer.
func (s *Server) Objects() *object.Store { return s.events.objects }
