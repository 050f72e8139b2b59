package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/realfault"
)

// lanes of events: each is a key.
const lanes = 8

// event is the data of one.
type event struct {
	Lane  string `json:"lane"`
	N     int    `json:"n"`
	Odd   bool   `json:"odd,omitempty"`
	Hook  bool   `json:"hook,omitempty"`
	Heavy bool   `json:"heavy,omitempty"`
	Fill  string `json:"fill,omitempty"`
}

func (e *event) name() string { return e.Lane + "/" + strconv.Itoa(e.N) }

// eventOf makes the event of a lane with a number.
func eventOf(lane string, n int) event {
	e := event{Lane: lane, N: n, Odd: n%2 == 1, Hook: n%5 == 0, Heavy: n%50 == 7}
	if e.Heavy {
		e.Fill = strings.Repeat("x", 2*tinyBytes)
	}
	return e
}

// load puts events, whatever ends meanwhile.
type load struct {
	cl      *kgo.Client
	count   atomic.Int64
	working sync.WaitGroup
	cancel  context.CancelFunc
	mu      sync.Mutex // guards failed
	failed  error
}

func newLoad(addrs []string) (*load, error) {
	cl, err := clientOf(addrs, kgo.ProducerLinger(time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &load{cl: cl}, nil
}

// start begins to put events.
func (l *load) start(ctx context.Context) {
	ctx, l.cancel = context.WithCancel(ctx)
	for i := range lanes {
		l.working.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				l.put(eventOf("lane"+strconv.Itoa(i), n))
				_ = realfault.Pause(ctx, time.Second*lanes/time.Duration(max(*rate, 1)))
			}
		})
	}
}

// put puts one event; the client tries again until it is there.
func (l *load) put(e event) {
	value, err := json.Marshal(e)
	if err != nil {
		panic(err) // it has texts and numbers
	}
	text := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	l.cl.Produce(context.Background(), &kgo.Record{Topic: "shop", Key: []byte(e.Lane), Value: value, Headers: []kgo.RecordHeader{
		text("ce_specversion", "1.0"), text("ce_id", e.name()), text("ce_source", e.Lane), text("ce_type", "put"), text("content-type", "application/json"),
	}}, func(_ *kgo.Record, err error) {
		if err == nil {
			l.count.Add(1)
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.failed = fmt.Errorf("put %s: %w", e.name(), err)
	})
}

// stop ends it when all that was put is there.
func (l *load) stop() error {
	l.cancel()
	l.working.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	err := l.cl.Flush(ctx)
	l.cl.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	return err
}

// hook is an address that is called, and fails often until all is calm.
type hook struct {
	ln    net.Listener
	srv   *http.Server
	calm  atomic.Bool
	calls atomic.Int64

	mu    sync.Mutex // guards all below
	rng   *rand.Rand
	ids   map[string]string // of events, by name
	wrong []string
}

func newHook(seed uint64) (*hook, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &hook{ln: ln, rng: rand.New(rand.NewPCG(seed, 5)), ids: map[string]string{}}
	h.srv = &http.Server{Handler: h}
	go func() { _ = h.srv.Serve(ln) }()
	return h, nil
}

func (h *hook) url() string { return "http://" + h.ln.Addr().String() + "/" }

func (h *hook) close() { _ = h.srv.Close() }

// ServeHTTP takes an event, or fails.
func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.calls.Add(1)
	var body struct{ Detail event }
	err := json.NewDecoder(r.Body).Decode(&body)
	id := r.Header.Get("Idempotency-Key")
	h.mu.Lock()
	defer h.mu.Unlock()
	name := body.Detail.name()
	was, before := h.ids[name]
	switch {
	case err != nil || id == "":
		h.wrong = append(h.wrong, fmt.Sprintf("a call with the id %q cannot be read: %v", id, err))
	case before && was != id:
		h.wrong = append(h.wrong, fmt.Sprintf("%s came under the ids %s and %s", name, was, id))
	case !h.calm.Load() && h.rng.IntN(4) == 0:
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		h.ids[name] = id
	}
}
