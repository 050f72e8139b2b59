package connection

import (
	"context"
	"encoding/json"
	"log/slog"
	"sync"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/outbound"
)

// Objects are where definitions are kept (event/object).
type Objects interface {
	Put(ctx context.Context, o object.Object) (object.Object, error)
	Remove(ctx context.Context, o object.Object) error
	Current(ctx context.Context, ref name.Ref) (object.Object, error)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]object.Object, string, error)
	Watch(begin name.Ref, tell func(object.News)) func()
}

// Sealer keeps secrets closed (event/seal).
type Sealer interface {
	Seal(ctx context.Context, plain []byte, about string) (string, error)
	Open(ctx context.Context, sealed, about string) ([]byte, error)
}

// Caller calls addresses (event/outbound).
type Caller interface {
	Do(ctx context.Context, r outbound.Request) outbound.Answer
}

// Options make a Service.
type Options struct {
	Objects Objects
	Sealer  Sealer
	HTTP    Caller // asks for tokens
	// Callers gives the rules whose targets call an API destination, wherever they
	// are. nil: none does.
	Callers func(ctx context.Context, destination name.Ref) ([]name.Ref, error)
	// Now is the domain clock.
	Now    func() time.Time
	Logger *slog.Logger
}

// Service keeps connections and API destinations. Its methods may be called from any
// goroutine.
type Service struct {
	o       Options
	ctx     context.Context // ended by Close
	cancel  context.CancelFunc
	working sync.WaitGroup
	unwatch []func()

	mu           sync.Mutex // guards all below
	connections  map[string]*known
	destinations map[string]*Destination
	closed       bool
}

// known is a connection that is mirrored.
type known struct {
	Connection
	sealed string

	// auth has the secrets, once they were opened. Service.mu guards it.
	auth *Auth

	token token
}

// New makes a service; Close must follow. Nothing is made or read before there is a
// connection.
func New(o Options) *Service {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Service{o: o, connections: map[string]*known{}, destinations: map[string]*Destination{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.unwatch = append(s.unwatch,
		o.Objects.Watch(name.Ref{Kind: name.Connection}, s.newsOfConnection),
		o.Objects.Watch(name.Ref{Kind: name.Destination}, s.newsOfDestination))
	return s
}

// Close ends what asks for tokens, and waits.
func (s *Service) Close() {
	for _, end := range s.unwatch {
		end()
	}
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.working.Wait()
}

func (s *Service) newsOfConnection(n object.News) {
	key := n.Object.Ref.Key()
	k, err := knownOf(n.Object)
	if err != nil {
		s.o.Logger.Error("a connection cannot be read; nothing is called with it", "connection", n.Object.Ref.Name, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Deleted || err != nil {
		delete(s.connections, key)
		return
	}
	if old := s.connections[key]; old != nil && old.ID == k.ID && old.sealed == k.sealed {
		old.Connection = k.Connection // its tokens stay good
		return
	}
	s.connections[key] = k
}

func (s *Service) newsOfDestination(n object.News) {
	key := n.Object.Ref.Key()
	d, err := destinationOf(n.Object)
	if err != nil {
		s.o.Logger.Error("an API destination cannot be read and is not called", "destination", n.Object.Ref.Name, "err", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if n.Deleted || err != nil {
		delete(s.destinations, key)
		return
	}
	s.destinations[key] = d
}

// knownOf reads a connection's object.
func knownOf(o object.Object) (*known, error) {
	var st stored
	if err := json.Unmarshal(o.Spec, &st); err != nil {
		return nil, err
	}
	return &known{sealed: st.Sealed, Connection: connectionOf(o, st)}, nil
}

// destinationOf reads a destination's object; its state is to be told.
func destinationOf(o object.Object) (*Destination, error) {
	d := &Destination{Ref: o.Ref, ID: o.ID, Version: o.Version, Created: o.Created, Modified: o.Modified}
	return d, json.Unmarshal(o.Spec, &d.DestinationSpec)
}

func (s *Service) nowMs() int64 { return s.o.Now().UnixMilli() }
