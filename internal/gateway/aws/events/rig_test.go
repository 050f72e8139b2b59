package events_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/config"
	"ottla/internal/event/bus"
	"ottla/internal/event/connection"
	"ottla/internal/event/seal"
	"ottla/internal/gateway/aws"
	"ottla/internal/gateway/aws/events"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory with buses of the test's own, behind the door.
type rig struct {
	testing.TB
	ctx   context.Context
	node  *server.Server
	buses *bus.Service
	door  http.Handler
	log   *strings.Builder
}

func newRig(t testing.TB) *rig {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	static, err := config.StaticOf("the test", map[string]string{"log.dirs": "/data"})
	if err != nil {
		t.Fatal(err)
	}
	node, err := server.Start(ctx, server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, HTTP: "127.0.0.1:0",
		Static: static, Now: time.Now, Live: time.Now, Logger: slog.New(slog.DiscardHandler), VerifyAge: server.DefaultVerifyAge,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	r := &rig{TB: t, ctx: ctx, node: node, log: new(strings.Builder)}
	r.buses = bus.New(bus.Options{
		Objects: node.Objects(), Now: time.Now,
		Client: func(opts ...kgo.Opt) (*kgo.Client, error) {
			return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(node.KafkaAddr()), kgo.MetadataMinAge(20 * time.Millisecond)}, opts...)...)
		},
		Partitions: func(topic string) int {
			if topic == "copies" {
				return 1
			}
			return 0
		},
		Schedules: node.Schedules(),
	})
	t.Cleanup(r.buses.Close)
	connections := connection.New(connection.Options{Objects: node.Objects(), Sealer: seal.New(node.Objects()), Now: time.Now})
	t.Cleanup(connections.Close)
	r.door = aws.New(aws.Options{
		Services: []*aws.Service{events.Service(events.Options{Buses: r.buses, Connections: connections, Now: time.Now, Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{ReplaceAttr: noTime}))})},
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)), Next: http.NotFoundHandler(),
	})
	return r
}

// call makes a call and gives what is answered.
func (r *rig) call(op, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequestWithContext(r.ctx, http.MethodPost, "/", strings.NewReader(body))
	req.Header.Set("X-Amz-Target", "AWSEvents."+op)
	req.Header.Set("Content-Type", "application/x-amz-json-1.1")
	req.Host, req.RemoteAddr = "localhost:8080", "127.0.0.1:50000"
	w := httptest.NewRecorder()
	r.door.ServeHTTP(w, req)
	return w
}

// drawn are ids and times that a run draws.
var drawn = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|\b1[0-9]{9}(\.[0-9]+)?\b`)

// said is an answer as stories have it: status and body, with what is drawn taken out.
func said(w *httptest.ResponseRecorder) string {
	return strings.TrimSpace(http.StatusText(w.Code)+"\n"+drawn.ReplaceAllString(w.Body.String(), "DRAWN")) + "\n"
}

// topic tells the records of a topic.
func (r *rig) topic(of string) string {
	r.Helper()
	c, err := kgo.NewClient(kgo.SeedBrokers(r.node.KafkaAddr()), kgo.ConsumeTopics(of))
	if err != nil {
		r.Fatal(err)
	}
	defer c.Close()
	ends, err := kadm.NewClient(c).ListEndOffsets(r.ctx, of)
	if err != nil {
		r.Fatal(err)
	}
	end, _ := ends.Lookup(of, 0)
	var out strings.Builder
	for at := int64(0); at < end.Offset; {
		f := c.PollFetches(r.ctx)
		if err := f.Err(); err != nil {
			r.Fatal(err)
		}
		f.EachRecord(func(rec *kgo.Record) {
			at = rec.Offset + 1
			for _, h := range rec.Headers {
				fmt.Fprintf(&out, "%s: %s\n", h.Key, h.Value)
			}
			fmt.Fprintf(&out, "%s\n", rec.Value)
		})
	}
	return drawn.ReplaceAllString(out.String(), "DRAWN")
}

// noTime leaves the time out of what is logged.
func noTime(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}
