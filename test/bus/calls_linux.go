package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ottla/test/beside"
	"ottla/test/realfault"
)

// atOnce is how many calls one target gets at once, unless it says otherwise; the loop
// makes as many.
const atOnce = 10

// sink is where addresses are: all take what comes, but those of the port that nothing
// is ever answered at.
type sink struct {
	srv   *http.Server
	live  string // http://HOST:PORT
	dead  net.Listener
	main  atomic.Int64 // calls of /main
	rest  atomic.Int64 // all others
	until atomic.Int64 // how many of /main are waited for
	bell  chan struct{}
}

func newSink() (*sink, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{live: "http://" + ln.Addr().String(), bell: make(chan struct{}, 1)}
	if s.dead, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	s.srv = &http.Server{Handler: s}
	go func() { _ = s.srv.Serve(ln) }()
	go func() { // it takes connections, and says nothing
		for {
			c, err := s.dead.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(io.Discard, c) }()
		}
	}()
	return s, nil
}

func (s *sink) close() {
	_ = s.srv.Close()
	_ = s.dead.Close()
}

// ServeHTTP takes what comes.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	if r.URL.Path != "/main" {
		s.rest.Add(1)
		return
	}
	if s.main.Add(1) == s.until.Load() {
		s.bell <- struct{}{}
	}
}

// await has the bell rung when so many more calls of /main have come.
func (s *sink) await(more int) { s.until.Store(s.main.Load() + int64(more)) }

// waitFor waits for the bell.
func (s *sink) waitFor(ctx context.Context) error {
	select {
	case <-s.bell:
		return nil
	case <-time.After(doneWithin):
		return fmt.Errorf("%d calls came of %d", s.main.Load(), s.until.Load())
	case <-ctx.Done():
		return ctx.Err()
	}
}

// calls is how many calls a run makes: fewer than what a run of events has.
func calls() int { return (*events/10 + perBatch - 1) / perBatch * perBatch }

// toAddress makes the bus hook, whose rule calls an address.
func toAddress(ctx context.Context, n *node) (err error) {
	if n.sink, err = newSink(); err != nil {
		return err
	}
	return n.put(ctx, thing{"/bus/hook", object{}}, ruleTo("hook", "all", orders, object{"to": n.sink.live + "/main"}))
}

// busCalls puts events and waits until the address was called for each.
func busCalls(ctx context.Context, n *node, _ int) (beside.Outcome, error) {
	n.sink.await(calls())
	m, err := beside.StartMeter([]int{n.proc.PID()})
	if err != nil {
		return beside.Outcome{}, err
	}
	put, _, err := n.flood(ctx, "hook", calls())
	if err != nil {
		return beside.Outcome{}, err
	}
	if err := n.sink.waitFor(ctx); err != nil {
		return beside.Outcome{}, err
	}
	return called(m, put)
}

func called(m *beside.Meter, n int) (beside.Outcome, error) {
	used, err := m.Stop()
	return beside.Outcome{Others: used.Others, Seen: beside.Seen{figCalls: float64(n) / used.Wall, figCPU: used.CPU * 1e6 / float64(n)}}, err
}

// rawCalls has a program of its own make the same calls.
func rawCalls(ctx context.Context, n *node, _ int) (beside.Outcome, error) {
	self, err := os.Executable()
	if err != nil {
		return beside.Outcome{}, err
	}
	n.sink.await(calls())
	cmd := exec.CommandContext(ctx, self, "-loop", n.sink.live+"/main", "-events", strconv.Itoa(calls()))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return beside.Outcome{}, err
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		return beside.Outcome{}, err
	}
	if err := cmd.Start(); err != nil {
		return beside.Outcome{}, err
	}
	end := func() error { return errors.Join(in.Close(), cmd.Wait()) }
	if _, err := io.ReadFull(out, make([]byte, len(loopReady))); err != nil {
		return beside.Outcome{}, errors.Join(err, end())
	}
	m, err := beside.StartMeter([]int{cmd.Process.Pid})
	if err != nil {
		return beside.Outcome{}, errors.Join(err, end())
	}
	if _, err := in.Write([]byte("\n")); err != nil {
		return beside.Outcome{}, errors.Join(err, end())
	}
	if err := n.sink.waitFor(ctx); err != nil {
		return beside.Outcome{}, errors.Join(err, end())
	}
	o, err := called(m, calls())
	return o, errors.Join(err, end())
}

// loopReady is what the loop says when it waits for a line.
const loopReady = "ready\n"

// loop makes calls as fast as they are answered, as anybody would write it: some
// goroutines, net/http's client. It begins at the first line, and ends with its input.
func loop(ctx context.Context, url string) error {
	body := bytes.Repeat([]byte(" "), 200)
	body = append(body, order(rand.New(rand.NewPCG(7, 8)), 0)...)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}, Timeout: 15 * time.Second}
	fmt.Print(loopReady)
	if _, err := io.ReadFull(os.Stdin, make([]byte, 1)); err != nil {
		return err
	}
	var left atomic.Int64
	left.Store(int64(*events))
	errs := make([]error, atOnce)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for left.Add(-1) >= 0 && errs[i] == nil {
				errs[i] = callOnce(ctx, client, url, body)
			}
		})
	}
	all.Wait()
	_, _ = io.Copy(io.Discard, os.Stdin)
	return errors.Join(errs...)
}

func callOnce(ctx context.Context, client *http.Client, url string, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

const (
	// neighbours are how many other targets there are: one is in the same partition of
	// deliveries, most likely. They get neighbourEvents a second in all.
	neighbours      = 16
	neighbourEvents = 30
)

// toAddresses is toAddress, and two more buses: one for targets that answer, one for
// such that do not.
func toAddresses(ctx context.Context, n *node) error {
	if err := toAddress(ctx, n); err != nil {
		return err
	}
	for bus, at := range map[string]string{"live": n.sink.live, "dead": "http://" + n.sink.dead.Addr().String()} {
		if err := n.put(ctx, thing{"/bus/" + bus, object{}}); err != nil {
			return err
		}
		for i := range neighbours {
			if err := n.put(ctx, ruleTo(bus, "r"+strconv.Itoa(i), orders, object{"to": at + "/" + strconv.Itoa(i)})); err != nil {
				return err
			}
		}
	}
	return nil
}

func besideLive(ctx context.Context, n *node, run int) (beside.Outcome, error) {
	return n.withNeighbours(ctx, "live", run)
}

func besideDead(ctx context.Context, n *node, run int) (beside.Outcome, error) {
	return n.withNeighbours(ctx, "dead", run)
}

// withNeighbours is busCalls while other targets get some events as well.
func (n *node) withNeighbours(ctx context.Context, bus string, run int) (beside.Outcome, error) {
	with, stop := context.WithCancel(ctx)
	var putting sync.WaitGroup
	var failed error
	putting.Go(func() { failed = n.drip(with, bus) })
	if err := realfault.Pause(ctx, time.Second); err != nil { // the first have come, or not
		stop()
		return beside.Outcome{}, err
	}
	o, err := busCalls(ctx, n, run)
	stop()
	putting.Wait()
	return o, errors.Join(err, failed)
}

// drip puts events one at a time until it is told to stop.
func (n *node) drip(ctx context.Context, bus string) error {
	rng := rand.New(rand.NewPCG(9, 10))
	begun := time.Now()
	for i := 0; realfault.Pause(ctx, time.Until(begun.Add(time.Duration(i)*time.Second/neighbourEvents))) == nil; i++ {
		body := object{"source": "shop.orders", "detail-type": "OrderPlaced", "detail": object{
			"customer": object{"id": "c-" + strconv.Itoa(i)}, "note": strings.Repeat("x", 300), "n": rng.Int()}}
		if err := n.ask(context.WithoutCancel(ctx), http.MethodPost, "/bus/"+bus+"/events", body, nil); err != nil {
			return err
		}
	}
	return nil
}

// idleCount is how many targets are idle.
const idleCount = 2000

// noTargets is nothing: the memory of a node that has none is taken off in idleTargets.
func noTargets(context.Context, *node, int) (beside.Outcome, error) {
	return beside.Outcome{Seen: beside.Seen{}}, nil
}

// idleTargets makes a bus with many targets, each of which gets an event, and tells what
// each of them has of the node's memory when nothing more happens.
func idleTargets(ctx context.Context, n *node, run int) (beside.Outcome, error) {
	if n.sink == nil {
		if err := toAddress(ctx, n); err != nil {
			return beside.Outcome{}, err
		}
		if _, err := busCalls(ctx, n, run); err != nil { // all that comes with the first target is there
			return beside.Outcome{}, err
		}
	}
	if err := n.rested(ctx); err != nil {
		return beside.Outcome{}, err
	}
	before, err := n.inUse(ctx)
	if err != nil {
		return beside.Outcome{}, err
	}
	bus := "idle" + strconv.Itoa(run+1)
	if err := n.put(ctx, thing{"/bus/" + bus, object{}}); err != nil {
		return beside.Outcome{}, err
	}
	var putting sync.WaitGroup
	errs := make([]error, 16)
	for w := range errs {
		putting.Go(func() {
			d := door{addrs: n.addrs}
			for i := w; i < idleCount && errs[w] == nil; i += len(errs) {
				x := ruleTo(bus, "r"+strconv.Itoa(i), orders, object{"to": n.sink.live + "/" + bus + "/" + strconv.Itoa(i)})
				errs[w] = d.ask(ctx, http.MethodPut, x.path, x.body, nil)
			}
		})
	}
	if putting.Wait(); errors.Join(errs...) != nil {
		return beside.Outcome{}, errors.Join(errs...)
	}
	want := n.sink.rest.Load() + idleCount
	event := object{"source": "shop.orders", "detail-type": "OrderPlaced", "detail": object{"customer": object{"id": "c-1"}}}
	if err := n.ask(ctx, http.MethodPost, "/bus/"+bus+"/events", event, nil); err != nil {
		return beside.Outcome{}, err
	}
	for n.sink.rest.Load() < want {
		if err := realfault.Pause(ctx, lookEvery); err != nil {
			return beside.Outcome{}, err
		}
	}
	if err := n.rested(ctx); err != nil {
		return beside.Outcome{}, err
	}
	after, err := n.inUse(ctx)
	return beside.Outcome{Seen: beside.Seen{figBytes: float64(after-before) / idleCount}}, err
}

// restFor is longer than connections are kept that nobody uses.
const restFor = 35 * time.Second

// rested waits until nothing is kept of what has just happened.
func (n *node) rested(ctx context.Context) error { return realfault.Pause(ctx, restFor) }
