package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/ask"
	"ottla/internal/cli/demo"
	"ottla/internal/cli/fail"
)

// shop is a demo that runs on a node.
type shop struct {
	*demo.Demo
	ctx  context.Context
	said chan string // what it tells when it runs
	stop func()
}

// openShop runs a demo on n, faster than for people.
func openShop(t *testing.T, n *ottla.Server) *shop {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	o := &ask.Options{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard, Bootstrap: n.Addr(), Format: "table", ConnectTimeout: 5 * time.Second, Timeout: 30 * time.Second}
	s := &shop{ctx: ctx, said: make(chan string, 1)}
	s.Demo = newDemo(o, demo.Options{
		HTTP: []string{n.HTTPAddr()}, Kafka: []string{n.Addr()}, Pace: time.Millisecond, Every: time.Hour, Orders: 30,
		Say: func(text string) { s.said <- text }, Status: func(string) {},
	})
	running, end := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- s.Run(running) }()
	ended := false
	s.stop = func() {
		if ended {
			return
		}
		ended = true
		end()
		if err := <-done; err != nil {
			t.Errorf("the demo: %v", err)
		}
		cancel()
	}
	t.Cleanup(s.stop)
	return s
}

func (s *shop) mustSee(t *testing.T, parts ...demo.Part) {
	t.Helper()
	if err := s.Await(s.ctx, parts...); err != nil {
		t.Fatal(err)
	}
}

func TestEachPartOfTheDemoMovesAndEachCommandShowsIt(t *testing.T) {
	clock := new(ottla.Clock)
	n := withHTTP(t, ottla.Options{Clock: clock})
	t.Setenv("OTTLA_HTTP", n.HTTPAddr())
	s := openShop(t, n)
	s.mustSee(t, demo.Placed, demo.Late, demo.Poison, demo.Paid, demo.Packed, demo.Shipped, demo.Waiting,
		demo.Called, demo.Failed, demo.Refused, demo.Gift, demo.Scheduled, demo.Read)
	if err := clock.Advance(s.ctx, time.Minute); err != nil { // to the deadline of what did not leave
		t.Fatal(err)
	}
	s.mustSee(t, demo.Cancelled, demo.Refunded)
	for _, queue := range []string{"billing-dead", "undelivered"} { // they are given out until the queue says otherwise
		for took := false; !took; {
			r := call(t, n, "", "queue", "take", queue, "--wait", "20s", "--http", n.HTTPAddr())
			if took = strings.Contains(r.out, "BODY"); s.ctx.Err() != nil || r.code != 0 {
				t.Fatalf("nothing comes into %s: %+v", queue, r)
			}
		}
	}

	shows := map[string][]string{
		"rule list":        {"billing", "sns:offers", "bus:audit", "queue:warehouse.fifo", "topic:order-states", "/pick-up"},
		"event tail":       {`"source":"shop.`},
		"event trace":      {"rule billing", "queue:billing  sent", "caused", "OrderPaid from shop.billing"},
		"webhook attempts": {"HTTP_503", "HTTP_400", "shop/partner"},
		"dlq list":         {"billing-dead", "undelivered", "rule shop/partner"},
		"dlq redrive":      {"where they came from", "put back"},
		"replay start":     {"COMPLETED", "queue:second-look"},
		"rule try":         {"MATCHED", `"total":620`},
		"queue describe":   {"queue.deadlines", "DELAYED"},
		"consume order-st": {`{"state":"Order`},
	}
	welcome := <-s.said
	_, event, _ := strings.Cut(welcome, "ottla event trace ")
	commands := demo.Commands(strings.Fields(event)[0])
	if len(commands) != len(shows) {
		t.Errorf("%d commands, and %d are known here", len(commands), len(shows))
	}
	for _, c := range commands {
		if !strings.Contains(welcome, "ottla "+c.Line) {
			t.Errorf("%q is not told:\n%s", c.Line, welcome)
		}
		words := shellWords(c.Line)
		if strings.HasPrefix(c.Line, "event tail") {
			words = append(words, "--from", "start", "-n", "2") // it has no end else
		}
		want := []string(nil)
		for begins, parts := range shows {
			if strings.HasPrefix(c.Line, begins) {
				want = parts
			}
		}
		if want == nil {
			t.Errorf("nothing is said of %q", c.Line)
		}
		call(t, n, "", words...).mustHold(t, 0, want...)
	}
}

func TestADemoGoesOnWhereOneWas(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	first := openShop(t, n)
	first.mustSee(t, demo.Placed, demo.Paid, demo.Shipped, demo.Called)
	first.stop()
	second := openShop(t, n)
	second.mustSee(t, demo.Placed, demo.Paid, demo.Shipped, demo.Called, demo.Read)
	second.stop()

	text, err := os.ReadFile(filepath.Join("demo", "shop.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	file := strings.ReplaceAll(string(text), "PARTNER", "http://127.0.0.1:1/") // where it was is not known any more
	r := call(t, n, file, "apply", "-f", "-", "--diff", "--http", n.HTTPAddr(), "-o", "csv")
	for line := range strings.Lines(r.out) {
		if !strings.Contains(line, "unchanged") && !strings.HasPrefix(line, "rule,shop/partner") && !strings.HasPrefix(line, "kind,") {
			t.Errorf("what the demo made is not what its file says: %s", line)
		}
	}
	r.mustHold(t, 0, "queue,billing,unchanged")
}

// awaiting is what a command writes, until a text is there.
type awaiting struct {
	text  string
	seen  bytes.Buffer
	found chan struct{} // closed when the text is there
}

func (w *awaiting) Write(b []byte) (int, error) {
	before := strings.Contains(w.seen.String(), w.text)
	w.seen.Write(b)
	if !before && strings.Contains(w.seen.String(), w.text) {
		close(w.found)
	}
	return len(b), nil
}

func TestDevRunsTheDemoAndEndsIt(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	w := &awaiting{text: "ottla consume order-states", found: make(chan struct{})}
	var errOut bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, []string{"dev", "--ephemeral", "--demo", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0"}, strings.NewReader(""), w, &errOut)
	}()
	select {
	case <-w.found:
		cancel()
	case <-ctx.Done():
	}
	if code := <-done; code != 0 || !strings.Contains(w.seen.String(), "storefront") {
		t.Errorf("exit code %d\n%s\n%s", code, w.seen.String(), errOut.String())
	}
	call(t, nil, "", "dev", "--demo", "--http", "off").mustHold(t, fail.Usage, "--demo needs the HTTP port")
}

func TestTheDemoRunsOnThreeNodes(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel) // after it has quit
	d := startDev(ctx, t, "--http", "127.0.0.1:0", "--demo")
	d.wait(ctx, func(line string) bool { return strings.Contains(line, "ottla consume order-states") })
}
