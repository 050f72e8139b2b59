package object

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
	"ottla/internal/event/name"
)

// Options make a Store.
type Options struct {
	// Client makes a client of this node's Kafka door.
	Client func(opts ...kgo.Opt) (*kgo.Client, error)
	// Serves tells whether this node's metadata are those of its cluster: before,
	// nobody can say what there is not. nil: they always are.
	Serves func() bool
	// Trusted tells whether the others cannot have gone on without this node yet; nil:
	// they never can.
	Trusted func() bool
	// Exists tells whether the topic is there; Create makes it, and returns
	// when it serves.
	Exists func() bool
	Create func(ctx context.Context) error
	// Now dates objects.
	Now func() time.Time
	// NewID draws an identifier that nobody else has.
	NewID  func() string
	Logger *slog.Logger
}

// Store keeps objects. Its methods may be called from any goroutine.
type Store struct {
	o       Options
	ctx     context.Context // of the mirror; ended by Close
	cancel  context.CancelFunc
	working sync.WaitGroup

	writing chan struct{} // held by the one who writes
	writer  *kgo.Client   // of the one who holds writing; nil when it must be made

	telling sync.Mutex // held while watchers are told

	mu       sync.Mutex        // guards all below
	log      *follow.Partition // what the mirror reads; nil before it is needed
	made     bool              // this store has made the topic
	at       int64             // everything below is in objects
	caught   bool              // it was at the end once: what is in objects is not of long ago
	moved    chan struct{}
	objects  map[string]Object
	held     map[string]map[string]struct{} // keys of objects, by the topic that is theirs
	keys     []string                       // of objects, in order; nil when they must be sorted anew
	watchers map[*watcher]struct{}
	gone     removals
	closed   bool
}

// New makes a store; Close must follow. Nothing is read before it is needed.
func New(o Options) *Store {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{o: o, writing: make(chan struct{}, 1), moved: make(chan struct{}), objects: map[string]Object{}, held: map[string]map[string]struct{}{}, watchers: map[*watcher]struct{}{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// Get finds an object. ErrNotFound says that there is none.
func (s *Store) Get(ctx context.Context, ref name.Ref) (Object, error) {
	s.mu.Lock()
	o, ok := s.objects[ref.Key()]
	ok = ok && s.caught
	s.mu.Unlock()
	if ok {
		return o, nil
	}
	return s.Current(ctx, ref)
}

// Current is Get, of what was written anywhere before.
func (s *Store) Current(ctx context.Context, ref name.Ref) (Object, error) {
	if err := s.sync(ctx); err != nil {
		return Object{}, err
	}
	if o, ok := s.have(ref.Key()); ok {
		return o, nil
	}
	return Object{}, fmt.Errorf("%s: %w", ref, ErrNotFound)
}

// Peek is Get as far as this node's mirror has come, without waiting.
func (s *Store) Peek(ref name.Ref) (Object, bool) { return s.have(ref.Key()) }

func (s *Store) have(key string) (Object, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, ok := s.objects[key]
	return o, ok
}

// List gives the objects whose Ref begins as the given one does (the same kind,
// account and region, and a name that begins with its Name), by name: those
// after the name after, at most most, and the name to go on after, "" at the
// end.
func (s *Store) List(ctx context.Context, begin name.Ref, after string, most int) (out []Object, next string, err error) {
	if err := s.sync(ctx); err != nil {
		return nil, "", err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = make([]string, 0, len(s.objects))
		for k := range s.objects {
			s.keys = append(s.keys, k)
		}
		slices.Sort(s.keys)
	}
	prefix := begin.Prefix()
	from := prefix
	if after != "" {
		begin.Name = after
		from = max(prefix, begin.Key()+"\x00")
	}
	for i := sort.SearchStrings(s.keys, from); i < len(s.keys) && strings.HasPrefix(s.keys[i], prefix); i++ {
		if len(out) == most {
			return out, out[most-1].Ref.Name, nil
		}
		out = append(out, s.objects[s.keys[i]])
	}
	return out, "", nil
}

// Close stops the store and waits for what it runs; whoever waits hears of it.
func (s *Store) Close() {
	s.cancel()
	s.mu.Lock()
	s.closed = true
	log := s.log
	s.mu.Unlock()
	s.working.Wait()
	if log != nil {
		log.Close()
	}
	s.writing <- struct{}{} // nobody writes any more, nor will
	if s.writer != nil {
		s.writer.Close()
		s.writer = nil
	}
}
