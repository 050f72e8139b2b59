package kafka

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/metric"
	"ottla/internal/wire"
)

// rig is a door with handlers that tests steer.
type rig struct {
	t     testing.TB
	door  *Door
	image *metadata.Image
	reg   *metric.Registry
	logs  *logBuffer
	now   atomic.Pointer[func() time.Time]

	// Serve of Produce: parks an answer that is ready when a test says so.
	mu     sync.Mutex
	parked []*parkedAnswer
	handle func(ctx context.Context, c *api.Conn, req kmsg.Request) (kmsg.Response, error) // of Metadata
}

func (r *rig) Image() *metadata.Image { return r.image }

// logBuffer keeps log lines.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// parkedAnswer answers its correlation id and a padding.
type parkedAnswer struct {
	api.Ticket
	corr    int32
	pad     int
	again   int       // Builds that must wait on first
	polls   *api.Conn // it is a long poll of that connection: it waits until the node stops
	member  bool      // it waits for somebody who does not come
	dropped chan struct{}
}

func (a *parkedAnswer) Build(out *api.Out) (bool, error) {
	switch {
	case a.polls != nil && !a.polls.Parts() || a.member:
		return false, nil
	case a.again > 0:
		a.again--
		go a.Ready() // found nothing; told again later
		return false, nil
	case a.pad < 0:
		return true, errors.New("cannot be built")
	}
	start := len(out.Buf)
	out.Reserve(8 + a.pad)
	out.Buf = wire.BeginFrame(out.Buf)
	out.Buf = binary.BigEndian.AppendUint32(out.Buf, uint32(a.corr))
	out.Buf = append(out.Buf, make([]byte, a.pad)...)
	wire.EndFrame(out.Buf, start, 0)
	return true, nil
}

func (a *parkedAnswer) Drop() { close(a.dropped) }

// serve is Produce here: the body's first byte says what to do.
func (r *rig) serve(c *api.Conn, q *api.Request) (api.Answer, error) {
	a := &parkedAnswer{corr: q.CorrelationID, dropped: make(chan struct{})}
	switch op := q.Body[0]; op {
	case 'p': // park
	case 'l': // long poll
		a.polls = c
		a.Ready()
	case 'm':
		a.member = true
	case 'r': // ready at once
		a.Ready()
	case 'b': // big answer, ready at once
		a.pad = 1 << 20
		a.Ready()
	case 'w': // ready, but waits on twice
		a.again = 2
		a.Ready()
	case 'e': // cannot be built
		a.pad = -1
		a.Ready()
	case 'n': // no answer
		return nil, nil
	case 'c': // close
		return nil, errors.New("told to close")
	case '!':
		panic("told to panic")
	}
	r.mu.Lock()
	r.parked = append(r.parked, a)
	r.mu.Unlock()
	return a, nil
}

func (r *rig) answers() []*parkedAnswer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]*parkedAnswer(nil), r.parked...)
}

func newRig(t testing.TB, settings map[string]string) *rig {
	t.Helper()
	return newRigWith(t, settings, nil)
}

// newRigWith is newRig with options that edit changes.
func newRigWith(t testing.TB, settings map[string]string, edit func(*Options)) *rig {
	t.Helper()
	r := &rig{t: t, reg: metric.New(), logs: &logBuffer{}}
	r.setNow(time.Now)
	r.handle = func(_ context.Context, _ *api.Conn, q kmsg.Request) (kmsg.Response, error) {
		return q.ResponseKind(), nil
	}
	var err error
	r.image, _, err = metadata.Empty().With(41, 1,
		&metadata.FeatureLevelRecord{Name: "metadata.version", Level: 33},
		&metadata.RegisterBrokerRecord{BrokerID: 2, Endpoints: []metadata.Endpoint{{Name: "PLAINTEXT", Host: "two.example", Port: 9999}}},
	)
	if err != nil {
		t.Fatal(err)
	}
	static, err := config.StaticOf("test", settings)
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Cluster: r, View: &config.View{Static: static, NodeID: 1}, NodeID: 1, ClusterID: "c1",
		SupportedFeatures: map[string][2]int16{"metadata.version": {7, 33}, "group.version": {0, 1}},
		HTTPAddr:          "127.0.0.1:8080",
		Now:               func() time.Time { return (*r.now.Load())() }, Metrics: r.reg,
		Logger: slog.New(slog.NewTextHandler(r.logs, nil)),
		APIs: []api.API{
			{Key: wire.KeyProduce, Min: 3, Max: 13, ListedMin: 0, Serve: r.serve},
			{Key: wire.KeyMetadata, Min: 0, Max: 13, Handle: func(ctx context.Context, c *api.Conn, q kmsg.Request) (kmsg.Response, error) {
				return r.handle(ctx, c, q)
			}},
		},
	}
	if edit != nil {
		edit(&o)
	}
	r.door, err = New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	return r
}

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 2 * time.Minute

// setNow replaces the door's clock.
func (r *rig) setNow(now func() time.Time) { r.now.Store(&now) }

func (r *rig) close() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.door.Close(ctx); err != nil {
		buf := make([]byte, 1<<20)
		r.t.Errorf("%v\n%s", err, buf[:runtime.Stack(buf, true)])
	}
}

// listen serves TCP and returns the address.
func (r *rig) listen(as Listener) string {
	r.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	go func() { _ = r.door.ServeAs(l, as) }() // ends with the door
	return l.Addr().String()
}

// dial connects over TCP when addr is given, else in memory. Deadlines keep a
// failing test short.
func (r *rig) dial(addr string) net.Conn {
	r.t.Helper()
	var nc net.Conn
	var err error
	if addr == "" {
		nc, err = r.door.Dial()
	} else {
		nc, err = net.Dial("tcp", addr)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(patience))
	r.t.Cleanup(func() { nc.Close() })
	return nc
}

// op is a Produce frame whose body is the letter and a padding.
func op(letter byte, corr int32, pad int) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(8+2+1+pad))
	b = append(b, 0, 0, 0, 3)
	b = binary.BigEndian.AppendUint32(b, uint32(corr))
	b = append(b, 0xff, 0xff, letter)
	return append(b, make([]byte, pad)...)
}

func send(t testing.TB, nc net.Conn, b []byte) {
	t.Helper()
	if _, err := nc.Write(b); err != nil {
		t.Fatal(err)
	}
}

// receive reads one answer without its length.
func receive(t testing.TB, nc net.Conn) []byte {
	t.Helper()
	b, err := readFrame(nc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readFrame(r io.Reader) ([]byte, error) {
	var l [4]byte
	if _, err := io.ReadFull(r, l[:]); err != nil {
		return nil, err
	}
	frame := make([]byte, binary.BigEndian.Uint32(l[:]))
	_, err := io.ReadFull(r, frame)
	return frame, err
}

// ask sends a codec request and decodes the answer.
func ask(t testing.TB, nc net.Conn, req kmsg.Request) kmsg.Response {
	t.Helper()
	send(t, nc, kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, req, 77))
	b := receive(t, nc)
	if got := binary.BigEndian.Uint32(b); got != 77 {
		t.Fatalf("correlation id %d, want 77", got)
	}
	b = b[4:]
	if req.IsFlexible() && req.Key() != wire.KeyApiVersions {
		b = b[1:]
	}
	resp := req.ResponseKind()
	if err := resp.ReadFrom(b); err != nil {
		t.Fatal(err)
	}
	return resp
}

// ends waits for the server to close the connection.
func ends(t testing.TB, nc net.Conn) {
	t.Helper()
	if b, err := readFrame(nc); err == nil {
		t.Fatalf("answered %x, want the connection closed", b)
	} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Fatal("the connection stays open")
	}
}

// eventually waits for a condition that another goroutine brings about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("did not come: %s", what)
		}
		runtime.Gosched()
	}
}

// logged waits for a line with the text.
func (r *rig) logged(text string) {
	r.t.Helper()
	eventually(r.t, "a log line with "+text, func() bool { return strings.Contains(r.logs.String(), text) })
}
