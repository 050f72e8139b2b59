package material_test

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/config"
	"ottla/internal/event/material"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// losing is a connection that breaks instead of giving the answer to a request that
// makes topics, while lose says so.
type losing struct {
	net.Conn
	lose *atomic.Int32 // how often
	lost atomic.Bool
}

func (l *losing) Write(b []byte) (int, error) {
	made := kmsg.NewPtrCreateTopicsRequest()
	if len(b) > 6 && int16(binary.BigEndian.Uint16(b[4:])) == made.Key() && l.lose.Add(-1) >= 0 {
		l.lost.Store(true)
	}
	return l.Conn.Write(b)
}

func (l *losing) Read(b []byte) (int, error) {
	n, err := l.Conn.Read(b)
	if l.lost.Load() { // the node has done what it was asked for
		return 0, io.EOF
	}
	return n, err
}

// A topic is made, and the answer is lost: whoever made it is not told that it was there
// before, as if it were another's.
func TestATopicWhoseMakingIsNotAnsweredIsNotTakenForAnothers(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	static, err := config.StaticOf("test", map[string]string{"log.dirs": "/data"})
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
	defer func() {
		if err := node.Close(); err != nil {
			t.Errorf("stop: %v", err)
		}
	}()
	var lose atomic.Int32
	c, err := kgo.NewClient(kgo.SeedBrokers(node.KafkaAddr()), kgo.Dialer(func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &losing{Conn: conn, lose: &lose}, err
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	keep := "3600000"
	settings := map[string]*string{"retention.ms": &keep}

	if _, there, err := material.Make(ctx, c, "earlier", 1, nil); err != nil || there { // the connection is in use
		t.Fatalf("earlier: there %v, %v", there, err)
	}
	lose.Store(1)
	if id, there, err := material.Make(ctx, c, "orders", 2, settings); err == nil || there {
		t.Errorf("without an answer: %v, there %v, %v", id, there, err)
	}
	want, n, err := material.ID(ctx, c, "orders")
	if err != nil || n != 2 {
		t.Errorf("it was made: %d partitions, %v", n, err)
	}
	if id, there, err := material.Make(ctx, c, "orders", 2, settings); err != nil || !there || !id.IsZero() {
		t.Errorf("one that is there: %v, there %v, %v", id, there, err)
	}
	if err := material.Delete(ctx, c, "orders", want); err != nil {
		t.Error(err)
	}
	id, there, err := material.Make(ctx, c, "orders", 2, settings)
	if err != nil || there || id.IsZero() || id == want {
		t.Errorf("made: %v, there %v, %v", id, there, err)
	}
	all, err := kadm.NewClient(c).DescribeTopicConfigs(ctx, "orders")
	if err != nil || len(all) != 1 {
		t.Fatalf("%v, %v", all, err)
	}
	for _, x := range all[0].Configs {
		if x.Key == "retention.ms" && (x.Value == nil || *x.Value != keep) {
			t.Errorf("it keeps records for %v", x.Value)
		}
	}
}
