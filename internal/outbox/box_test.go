package outbox

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// held is a request on its way.
type held struct {
	node int32
	text string
	done func(kmsg.Response, error)
}

// peers hold every request until a test answers it; down answers at once.
type peers struct {
	mu   sync.Mutex
	sent []held
	down error
}

func (p *peers) Start(_ context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error)) {
	p.mu.Lock()
	down := p.down
	if down == nil {
		p.sent = append(p.sent, held{node, strings.Join(req.(*kmsg.DeleteTopicsRequest).TopicNames, " "), done})
	}
	p.mu.Unlock()
	if down != nil {
		done(nil, down)
	}
}

// take gives the requests that were sent since.
func (p *peers) take() []held {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := p.sent
	p.sent = nil
	return out
}

func texts(sent []held) []string {
	var out []string
	for _, h := range sent {
		out = append(out, h.text)
	}
	return out
}

// rig is a box of words: their kind is the first letter, their name the second.
type rig struct {
	*Box[string]
	peers *peers
	mu    sync.Mutex
	took  []string
}

func newRig() *rig {
	r := &rig{peers: &peers{}}
	r.Box = New(Options[string]{
		Peers: r.peers, Timeout: 1 << 40,
		Kind: func(s string) any { return s[0] },
		Name: func(s string) any { return s[1] },
		Make: func(items []string) kmsg.Request {
			req := kmsg.NewPtrDeleteTopicsRequest()
			req.TopicNames = slices.Clone(items)
			return req
		},
		Took: func(items []string, resp kmsg.Response, err error) {
			said := "nothing"
			if err != nil {
				said = CodeOf(err).Name()
			} else if resp != nil {
				said = "an answer"
			}
			r.mu.Lock()
			r.took = append(r.took, strings.Join(items, " ")+": "+said)
			r.mu.Unlock()
		},
	})
	return r
}

func (r *rig) put(node int32, words ...string) {
	for _, w := range words {
		r.Put(context.Background(), node, w)
	}
}

func answer(h held) { h.done(kmsg.NewPtrDeleteTopicsResponse(), nil) }

func want[T comparable](t *testing.T, what string, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestWhatComesWhileRequestsAreOnTheirWayTravelsTogether(t *testing.T) {
	r := newRig()
	r.put(1, "a1", "a2", "a3", "a4", "b5", "a3", "a6")
	first := r.peers.take()
	want(t, "at once", texts(first), "a1", "a2")
	answer(first[1])
	second := r.peers.take()
	want(t, "of one kind, each name once", texts(second), "a3 a4 a6")
	answer(first[0])
	third := r.peers.take()
	want(t, "another kind", texts(third), "b5")
	answer(second[0])
	fourth := r.peers.take()
	want(t, "the name that had to wait", texts(fourth), "a3")
	answer(third[0])
	answer(fourth[0])
	want(t, "nothing is left", texts(r.peers.take()))
	want(t, "answers", r.took, "a2: an answer", "a1: an answer", "a3 a4 a6: an answer", "b5: an answer", "a3: an answer")
}

func TestNodesDoNotWaitForEachOther(t *testing.T) {
	r := newRig()
	r.put(1, "a1", "a2", "a3")
	r.peers.take()
	r.put(2, "a4")
	if sent := r.peers.take(); len(sent) != 1 || sent[0].node != 2 || sent[0].text != "a4" {
		t.Errorf("sent %+v, want a4 to node 2", sent)
	}
}

func TestAQuestionWhoseTimeIsOverIsNotSent(t *testing.T) {
	r := newRig()
	r.put(1, "a1", "a2")
	on := r.peers.take()
	ctx, cancel := context.WithCancel(context.Background())
	r.Put(ctx, 1, "a3")
	r.put(1, "a4")
	cancel()
	answer(on[0])
	want(t, "sent", texts(r.peers.take()), "a4")
	want(t, "answers", r.took, "a1: an answer", "a3: REQUEST_TIMED_OUT")
}

func TestANodeThatCannotBeReachedAnswersAll(t *testing.T) {
	r := newRig()
	r.put(1, "a1", "a2", "a3", "b4", "a5")
	on := r.peers.take()
	r.peers.mu.Lock()
	r.peers.down = errors.New("refused")
	r.peers.mu.Unlock()
	on[0].done(nil, wire.NetworkException)
	on[1].done(nil, context.DeadlineExceeded)
	slices.Sort(r.took)
	want(t, "answers", r.took, "a1: NETWORK_EXCEPTION", "a2: REQUEST_TIMED_OUT", "a3 a5: NETWORK_EXCEPTION", "b4: NETWORK_EXCEPTION")
	r.took = nil
	r.put(1, "a6")
	want(t, "at once", r.took, "a6: NETWORK_EXCEPTION")
}

func TestARequestIsBoundedAndSoIsWhatWaits(t *testing.T) {
	r := newRig()
	o := r.o
	o.Name = func(s string) any { return s }
	r.Box = New(o)
	r.put(1, "a", "b") // on their way
	on := r.peers.take()
	l := r.lane(1)
	for i := range mostQueued {
		l.queue = append(l.queue, queued[string]{context.Background(), "a" + string(rune(0x100+i))})
	}
	r.put(1, "ax")
	want(t, "beyond", r.took, "ax: NETWORK_EXCEPTION")
	answer(on[0])
	if sent := r.peers.take(); len(sent) != 1 || len(strings.Fields(sent[0].text)) != mostItems {
		t.Errorf("%d requests, the first of %d questions", len(sent), len(strings.Fields(sent[0].text)))
	}
	if len(l.queue) != mostQueued-mostItems {
		t.Errorf("%d wait, want %d", len(l.queue), mostQueued-mostItems)
	}
}

func TestEveryQuestionIsAnsweredOnce(t *testing.T) {
	r := newRig()
	r.o.Name = func(s string) any { return s[1:3] }
	var all, answering sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		answering.Go(func() {
			for {
				for _, h := range r.peers.take() {
					answer(h)
				}
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		})
	}
	for g := range 8 {
		all.Go(func() {
			for i := range 50 {
				r.put(int32(i%3), string([]byte{'a' + byte(i%2), '0' + byte(i%7), 'a' + byte(g)}))
			}
		})
	}
	all.Wait()
	for {
		r.mu.Lock()
		n := 0
		for _, line := range r.took {
			n += strings.Count(line, " ") - 1
		}
		r.mu.Unlock()
		if n == 400 {
			break
		}
		if n > 400 {
			t.Fatalf("%d answers to 400 questions", n)
		}
		runtime.Gosched()
	}
	close(stop)
	answering.Wait()
	want(t, "nothing is left", texts(r.peers.take()))
}

func TestCallWaits(t *testing.T) {
	p := &peers{}
	for _, tc := range []struct {
		name string
		resp kmsg.Response
		err  error
		want wire.Code
	}{
		{"answer", kmsg.NewPtrDeleteTopicsResponse(), nil, wire.None},
		{"another answer", kmsg.NewPtrFetchResponse(), nil, wire.NetworkException},
		{"no answer", nil, wire.NotController, wire.NotController},
	} {
		got := make(chan error, 1)
		go func() {
			_, err := Call[*kmsg.DeleteTopicsResponse](t.Context(), p, 1, kmsg.NewPtrDeleteTopicsRequest())
			got <- err
		}()
		var on []held
		for on = p.take(); len(on) == 0; on = p.take() {
			runtime.Gosched()
		}
		on[0].done(tc.resp, tc.err)
		if err := <-got; (err == nil) != (tc.want == wire.None) || err != nil && CodeOf(err) != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, err, tc.want)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Call[*kmsg.DeleteTopicsResponse](ctx, p, 1, kmsg.NewPtrDeleteTopicsRequest()); !errors.Is(err, context.Canceled) {
		t.Errorf("its time is over: %v", err)
	}
}
