package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// pair is node 2's pool and node 1's station.
func pair(t *testing.T, edit func(*PoolOptions)) (*Pool, *station) {
	t.Helper()
	one := founded(t)
	s := newStation(t, one, nil)
	return pool(t, one.of(t, whose(2)), edit, s), s
}

func TestTwoNodesSpeak(t *testing.T) {
	one := founded(t)
	two := one.of(t, whose(2))
	a, b := newStation(t, one, nil), newStation(t, two, nil)
	echo(t, pool(t, one, nil, a, b), 2, "from one to two")
	echo(t, pool(t, two, nil, a, b), 1, "from two to one")
}

// ended is what a call came to.
type ended struct {
	n    int
	resp kmsg.Response
	err  error
}

// start makes n calls and gives where their ends are told.
func start(ctx context.Context, p *Pool, n int) <-chan ended {
	out := make(chan ended, 2*n+1) // room for a call that ends twice
	for i := range n {
		p.Start(ctx, 1, command(fmt.Sprint(i)), func(resp kmsg.Response, err error) { out <- ended{i, resp, err} })
	}
	return out
}

func TestPipelinedCallsGetTheirOwnAnswers(t *testing.T) {
	const n = 500
	p, s := pair(t, nil)
	got := start(t.Context(), p, n)
	for range n {
		e := receive(t, "an answer", got)
		if e.err != nil || string(e.resp.(*own.CommandResponse).Body) != fmt.Sprint(e.n) {
			t.Fatalf("call %d: %+v, %v", e.n, e.resp, e.err)
		}
	}
	for i, req := range s.served {
		if string(req.Body) != fmt.Sprint(i) {
			t.Fatalf("request %d came as number %d: they leave in order", i, i)
		}
	}
}

// Answers may come in any order: one that waits holds up none.
func TestAnswersInAnyOrder(t *testing.T) {
	p, s := pair(t, nil)
	const n = 20
	gates := make([]chan struct{}, n)
	for i := range gates {
		gates[i] = make(chan struct{})
	}
	s.hold = func(req *own.CommandRequest) <-chan struct{} {
		var i int
		if _, err := fmt.Sscan(string(req.Body), &i); err != nil {
			t.Error(err)
		}
		return gates[i]
	}
	got := start(t.Context(), p, n)
	for i := n - 1; i >= 0; i-- {
		close(gates[i])
		if e := receive(t, "an answer", got); e.n != i || e.err != nil || string(e.resp.(*own.CommandResponse).Body) != fmt.Sprint(i) {
			t.Fatalf("call %d: %+v, %v; want call %d", e.n, e.resp, e.err, i)
		}
	}
}

// never is a hold that no answer passes until the test ends.
func never(t *testing.T, s *station) {
	t.Helper()
	until := make(chan struct{})
	t.Cleanup(func() { close(until) })
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hold = func(*own.CommandRequest) <-chan struct{} { return until }
}

// eventually waits for what another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("did not come: %s", what)
		}
	}
}

func TestABrokenConnectionFailsEachCallOnce(t *testing.T) {
	const n = 100
	downs := make(chan error, 10)
	p, s := pair(t, func(o *PoolOptions) { o.OnDown = func(node int32, why error) { downs <- why } })
	never(t, s)
	got := start(t.Context(), p, n)
	eventually(t, "all requests", func() bool { return s.count() == n })
	s.server.Cut()
	for i := range n {
		e := receive(t, "a failure", got)
		if wire.CodeOf(e.err) != wire.NetworkException || errors.Is(e.err, ErrNotSent) || e.n != i {
			t.Fatalf("call %d, want %d: %v, want NETWORK_EXCEPTION and not ErrNotSent", e.n, i, e.err)
		}
	}
	receive(t, "OnDown", downs)
	s.mu.Lock()
	s.hold = nil
	s.mu.Unlock()
	echo(t, p, 1, "on a new connection")
	if len(got) != 0 {
		t.Errorf("%d calls ended twice", len(got))
	}
}

func TestWhatNeverLeftIsToldSo(t *testing.T) {
	one := founded(t)
	const dead = "127.0.0.1:1" // a port that was free a moment ago may be another test's by now
	for name, addrs := range map[string][]string{"nobody there": {dead}, "no address": nil} {
		p := NewPool(PoolOptions{
			Identity: func() (*Identity, error) { return one, nil }, Now: fixed,
			Addresses: func(int32) []string { return addrs },
		})
		for range 2 { // the second meets the pause after the first
			_, err := p.Call(t.Context(), 1, command("x"))
			if wire.CodeOf(err) != wire.NetworkException || !errors.Is(err, ErrNotSent) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: %v", name, err)
			}
		}
		p.Close()
		if _, err := p.Call(t.Context(), 1, command("x")); !errors.Is(err, ErrClosed) || !errors.Is(err, ErrNotSent) {
			t.Errorf("closed: %v", err)
		}
	}
	broken := NewPool(PoolOptions{Identity: func() (*Identity, error) { return nil, ErrNone }, Addresses: func(int32) []string { return nil }})
	defer broken.Close()
	if _, err := broken.Call(t.Context(), 1, command("x")); !errors.Is(err, ErrNone) {
		t.Errorf("without an identity: %v", err)
	}
}

// After a failure there is a short pause, in which no connection is tried.
func TestFailuresAreFollowedByAPause(t *testing.T) {
	var now, tries atomic.Int64
	one := founded(t)
	refuse := errors.New("refused")
	p := NewPool(PoolOptions{
		Identity: func() (*Identity, error) { return one, nil }, Addresses: func(int32) []string { return []string{"x:1"} },
		Now: func() time.Time { return wall.Add(time.Duration(now.Load())) },
		Dial: func(context.Context, string, string) (net.Conn, error) {
			tries.Add(1)
			return nil, refuse
		},
	})
	defer p.Close()
	call := func(want int64) {
		t.Helper()
		if _, err := p.Call(t.Context(), 1, command("x")); !errors.Is(err, refuse) {
			t.Fatal(err)
		}
		if got := tries.Load(); got != want {
			t.Fatalf("%d tries, want %d", got, want)
		}
	}
	call(1)
	call(1)
	now.Add(int64(firstBackoff))
	call(2)
	now.Add(int64(2*firstBackoff) - 1)
	call(2)
	now.Add(1)
	call(3)
	for range 10 {
		now.Add(int64(lastBackoff))
		call(tries.Load() + 1)
	}
}

func TestACallEndsWithItsContext(t *testing.T) {
	p, s := pair(t, nil)
	echo(t, p, 1, "up")
	never(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	got := start(ctx, p, 10)
	eventually(t, "all requests", func() bool { return s.count() == 11 })
	cancel()
	for range 10 {
		if e := receive(t, "an end", got); !errors.Is(e.err, context.Canceled) {
			t.Fatalf("call %d: %v", e.n, e.err)
		}
	}
	if _, err := p.Call(ctx, 1, command("x")); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that begins too late: %v", err)
	}
	s.server.Cut()
	s.mu.Lock()
	s.hold = nil
	s.mu.Unlock()
	eventually(t, "a new connection", func() bool {
		_, err := p.Call(t.Context(), 1, command("x"))
		return err == nil
	})
	if len(got) != 0 {
		t.Errorf("%d calls ended twice", len(got))
	}
}

// An answer that comes after its call gave up is nobody's, and no harm.
func TestALateAnswerIsDropped(t *testing.T) {
	p, s := pair(t, nil)
	until := make(chan struct{})
	s.hold = func(req *own.CommandRequest) <-chan struct{} {
		if string(req.Body) == "0" {
			return until
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	got := start(ctx, p, 1)
	eventually(t, "the request", func() bool { return s.count() == 1 })
	cancel()
	receive(t, "the end", got)
	close(until)
	for i := range 5 {
		echo(t, p, 1, fmt.Sprint("after ", i))
	}
	if len(got) != 0 {
		t.Error("the call ended twice")
	}
}

func TestARequestWithoutAnAnswerIsDoneWhenWritten(t *testing.T) {
	p, s := pair(t, nil)
	for range 3 {
		resp, err := p.Call(t.Context(), 1, &own.ProgressRequest{Replica: 2})
		if resp != nil || err != nil {
			t.Fatalf("%v, %v", resp, err)
		}
		if got := receive(t, "the request", s.frames); string(got) != "progress" {
			t.Fatalf("node 1 got %q", got)
		}
	}
	echo(t, p, 1, "and those with one go on")
}

func TestTheHighestCommonVersionIsSent(t *testing.T) {
	l := newLink(nil, 1)
	l.versions = map[int16][2]int16{wire.KeyMetadata: {9, 11}, wire.KeyFetch: {90, 99}, wire.KeyProduce: {3, 99}}
	for _, tc := range []struct {
		req  kmsg.Request
		want int16
		code wire.Code
	}{
		{kmsg.NewPtrMetadataRequest(), 11, wire.None},
		{kmsg.NewPtrProduceRequest(), kmsg.NewPtrProduceRequest().MaxVersion(), wire.None},
		{kmsg.NewPtrFetchRequest(), 0, wire.UnsupportedVersion},     // theirs begin above ours
		{kmsg.NewPtrHeartbeatRequest(), 0, wire.UnsupportedVersion}, // they have none
		{&own.CommandRequest{}, 0, wire.None},
	} {
		got, err := l.version(tc.req)
		if got != tc.want || wire.CodeOf(err) != tc.code {
			t.Errorf("%T: version %d, %v; want %d, %s", tc.req, got, err, tc.want, tc.code.Name())
		}
	}
	p, _ := pair(t, nil)
	if _, err := p.Call(t.Context(), 1, kmsg.NewPtrFetchRequest()); wire.CodeOf(err) != wire.UnsupportedVersion || !errors.Is(err, ErrNotSent) {
		t.Errorf("what a node does not serve: %v", err)
	}
}

// Who answers at an address must be the node that is meant.
func TestAnotherNodeAtTheAddressIsNotTaken(t *testing.T) {
	one := founded(t)
	s := newStation(t, one.of(t, whose(3)), nil)
	p := pool(t, one, func(o *PoolOptions) { o.Addresses = func(int32) []string { return []string{s.addr} } })
	_, err := p.Call(t.Context(), 2, command("x"))
	if wire.CodeOf(err) != wire.NetworkException || !strings.Contains(err.Error(), "is node 3, not node 2") {
		t.Errorf("%v", err)
	}
	if s.count() != 0 {
		t.Error("it was sent the request")
	}
}

func TestTheNextAddressIsTried(t *testing.T) {
	one := founded(t)
	s := newStation(t, one, nil)
	wrong := newStation(t, founded(t), nil)
	p := pool(t, one.of(t, whose(2)), func(o *PoolOptions) {
		o.Addresses = func(int32) []string { return []string{"127.0.0.1:1", wrong.addr, s.addr} }
	})
	echo(t, p, 1, "third time lucky")
}

// Ups and downs are told in order, one for each connection.
func TestUpsAndDownsAreToldInOrder(t *testing.T) {
	var mu sync.Mutex
	var told []string
	p, s := pair(t, func(o *PoolOptions) {
		o.OnUp = func(node int32) { mu.Lock(); told = append(told, fmt.Sprint("up ", node)); mu.Unlock() }
		o.OnDown = func(node int32, why error) { mu.Lock(); told = append(told, fmt.Sprint("down ", node)); mu.Unlock() }
	})
	var want []string
	for i := range 5 {
		echo(t, p, 1, "x")
		if i%2 == 0 {
			s.server.Cut()
		} else {
			p.Cut()
		}
		want = append(want, "up 1", "down 1")
		eventually(t, "the end", func() bool { mu.Lock(); defer mu.Unlock(); return len(told) == len(want) })
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
}

// Two nodes without another connection would probe each other for ever.
func TestTheEndOfAProbeIsNobodysEnd(t *testing.T) {
	one := founded(t)
	s := newStation(t, one, nil)
	p := pool(t, one.of(t, whose(2)), nil, s)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 3 {
		if err := p.Probe(ctx, 1); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.server.Close(ctx); err != nil { // nobody is served any more
		t.Fatal(err)
	}
	if len(s.left) > 0 {
		t.Errorf("node %d has left, who only asked", <-s.left)
	}
}

func TestAProbeTellsWhetherAProcessAnswers(t *testing.T) {
	p, s := pair(t, nil)
	if err := p.Probe(t.Context(), 1); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.server.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.Probe(t.Context(), 1); wire.CodeOf(err) != wire.NetworkException {
		t.Errorf("a closed node: %v", err)
	}
}

func TestTooManyCallsAreRefusedAtOnce(t *testing.T) {
	one := founded(t)
	block := make(chan struct{})
	p := NewPool(PoolOptions{
		Identity: func() (*Identity, error) { return one, nil }, Addresses: func(int32) []string { return []string{"x:1"} },
		Dial: func(context.Context, string, string) (net.Conn, error) {
			<-block
			return nil, io.EOF
		},
	})
	defer p.Close()
	got := start(t.Context(), p, maxCalls)
	_, err := p.Call(t.Context(), 1, command("one too many"))
	if wire.CodeOf(err) != wire.NetworkException || !errors.Is(err, errBusy) || !errors.Is(err, ErrNotSent) {
		t.Errorf("%v", err)
	}
	if len(got) != 0 {
		t.Errorf("%d calls ended", len(got))
	}
	close(block)
	for range maxCalls {
		if e := receive(t, "an end", got); !errors.Is(e.err, ErrNotSent) {
			t.Fatalf("call %d: %v", e.n, e.err)
		}
	}
}

// Closing ends what waits, wherever it waits, and leaves no goroutine.
func TestCloseEndsAllCalls(t *testing.T) {
	p, s := pair(t, nil)
	never(t, s)
	got := start(t.Context(), p, 10)
	eventually(t, "all requests", func() bool { return s.count() == 10 })
	p.Post(1, []byte("frame"))
	p.Close()
	for range 10 {
		if e := receive(t, "an end", got); wire.CodeOf(e.err) != wire.NetworkException {
			t.Errorf("call %d: %v", e.n, e.err)
		}
	}
	p.Post(1, []byte("too late"))
	p.Close()
	// While it is being dialled.
	one := founded(t)
	dialling := make(chan struct{}, 16)
	q := NewPool(PoolOptions{
		Identity: func() (*Identity, error) { return one, nil }, Addresses: func(int32) []string { return []string{"x:1"} },
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			dialling <- struct{}{}
			<-ctx.Done()
			return nil, ctx.Err()
		},
	})
	waits := start(t.Context(), q, 3)
	q.Post(1, []byte("frame"))
	receive(t, "a dial", dialling)
	receive(t, "another", dialling)
	q.Close()
	for range 3 {
		if e := receive(t, "an end", waits); !errors.Is(e.err, ErrNotSent) {
			t.Errorf("call %d: %v", e.n, e.err)
		}
	}
}

func TestUnusedPoolsAndServersCostNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	asked := false
	identity := func() (*Identity, error) { asked = true; return nil, ErrNone }
	p := NewPool(PoolOptions{Identity: identity})
	s := NewServer(ServerOptions{Identity: identity})
	// Timers of other tests may have begun something that soon ends.
	eventually(t, "no goroutine more than before", func() bool { return runtime.NumGoroutine() <= before })
	if asked {
		t.Error("their identity was asked for")
	}
	p.Close()
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
