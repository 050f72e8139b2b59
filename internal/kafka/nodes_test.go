package kafka

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/peer"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// nodeRig is a door with its nodes' side on one port.
type nodeRig struct {
	*rig
	id    *peer.Identity
	addr  string
	peers *peer.Server

	mu    sync.Mutex
	nodes []int32 // who sent commands, as their connections say
	hold  map[string]chan struct{}
}

// newNodeRig serves node 1 of cluster c1.
func newNodeRig(t *testing.T, settings map[string]string) *nodeRig {
	t.Helper()
	n := &nodeRig{id: found(t, "c1", time.Now()), hold: map[string]chan struct{}{}}
	var door *Door
	n.peers = peer.NewServer(peer.ServerOptions{
		Identity: func() (*peer.Identity, error) { return n.id, nil },
		Admit: func(_ context.Context, r peer.JoinRequest) (int32, []peer.Member, error) {
			return 2, []peer.Member{{NodeID: 1, Addrs: []string{n.addr}}}, nil
		},
		Kafka: func(nc net.Conn, node int32, calls bool) { door.ServeNode(nc, node, calls) },
	})
	n.rig = newRigWith(t, settings, func(o *Options) {
		o.Nodes = n.peers.Handle
		o.APIs = append(o.APIs, n.rows()...)
	})
	door = n.door
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.peers.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	n.addr = n.listen(Listener{})
	return n
}

// rows are Command, whose answer is its body once nothing holds it, and a row
// of Kafka's that only nodes may ask.
func (n *nodeRig) rows() []api.API {
	command := api.Row(0, 0, func(ctx context.Context, c *api.Conn, q *own.CommandRequest) (kmsg.Response, error) {
		n.mu.Lock()
		n.nodes = append(n.nodes, c.Node)
		hold := n.hold[q.Kind]
		n.mu.Unlock()
		switch {
		case q.Kind == "panic":
			panic("told to panic")
		case q.Kind == "fail":
			return nil, wire.Errorf(wire.NotController, "not here")
		case hold != nil:
			select {
			case <-hold:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		resp := q.ResponseKind().(*own.CommandResponse)
		resp.Body = q.Body
		return resp, nil
	})
	command.NodesOnly = true
	alter := api.Row(2, 3, func(_ context.Context, _ *api.Conn, q *kmsg.AlterPartitionRequest) (kmsg.Response, error) {
		return q.ResponseKind(), nil
	})
	alter.NodesOnly = true
	return []api.API{command, alter}
}

// found makes the identity of a cluster's first node.
func found(t *testing.T, cluster string, now time.Time) *peer.Identity {
	t.Helper()
	f := vfs.NewMem(0)
	if err := f.MkdirAll("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	id, err := peer.Found(f, "/d", peer.Whose{ClusterID: cluster, NodeID: 1, DirectoryID: uuid.UUID{1}}, now)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// join makes node 2 of the cluster, by asking.
func (n *nodeRig) join() *peer.Joined {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	j, err := peer.Join(ctx, []string{n.addr}, peer.JoinRequest{Token: n.id.Token(), NodeID: -1, DirectoryID: uuid.UUID{2}})
	if err != nil {
		n.t.Fatal(err)
	}
	return j
}

// pool calls node 1 as id.
func (n *nodeRig) pool(id *peer.Identity) *peer.Pool {
	n.t.Helper()
	p := peer.NewPool(peer.PoolOptions{
		Identity:  func() (*peer.Identity, error) { return id, nil },
		Addresses: func(int32) []string { return []string{n.addr} },
	})
	n.t.Cleanup(p.Close)
	return p
}

func (n *nodeRig) command(p *peer.Pool, kind, body string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, err := p.Call(ctx, 1, &own.CommandRequest{Kind: kind, Body: []byte(body)})
	if err != nil {
		return "", err
	}
	r := resp.(*own.CommandResponse)
	if r.ErrorCode != 0 {
		return "", &wire.Error{Code: wire.Code(r.ErrorCode), Message: r.ErrorMessage}
	}
	return string(r.Body), nil
}

// One port: a node joins, calls as itself, and a Kafka client beside it never
// notices.
func TestNodesAndClientsShareOnePort(t *testing.T) {
	n := newNodeRig(t, nil)
	cl, err := kgo.NewClient(kgo.SeedBrokers(n.addr), kgo.MaxVersions(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	plain := func() {
		t.Helper()
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := cl.Ping(ctx); err != nil {
			t.Fatalf("the Kafka client: %v", err)
		}
	}
	plain()
	joined := n.join()
	if joined.NodeID != 2 || joined.ClusterID != "c1" || len(joined.Members) != 1 || joined.Members[0].Addrs[0] != n.addr {
		t.Errorf("joined as %+v", joined)
	}
	p := n.pool(joined.Identity)
	if got, err := n.command(p, "echo", "hello"); err != nil || got != "hello" {
		t.Fatalf("a node's call: %q, %v", got, err)
	}
	plain()
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.nodes) != 1 || n.nodes[0] != 2 {
		t.Errorf("commands came from %v, want node 2", n.nodes)
	}
}

// What a connection may do hangs on its certificate alone.
func TestStrangersAreNotNodes(t *testing.T) {
	n := newNodeRig(t, nil)
	for name, id := range map[string]*peer.Identity{
		"another cluster's node":                    found(t, "c2", time.Now()),
		"a node of another authority":               found(t, "c1", time.Now()),
		"a node whose certificate ended a year ago": found(t, "c1", time.Now().AddDate(-21, 0, 0)),
	} {
		if got, err := n.command(n.pool(id), "echo", "x"); wire.CodeOf(err) != wire.NetworkException {
			t.Errorf("%s: %q, %v; want NETWORK_EXCEPTION", name, got, err)
		}
	}
	for name, config := range map[string]*tls.Config{
		"no certificate": {InsecureSkipVerify: true, NextProtos: []string{"ottla-calls/1"}},
		"no protocol":    {InsecureSkipVerify: true},
		"http":           {InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}},
	} {
		nc, err := tls.Dial("tcp", n.addr, config)
		if err == nil { // TLS 1.3: the refusal comes with the first read
			_ = nc.SetDeadline(time.Now().Add(patience))
			_, err = nc.Read(make([]byte, 1))
			nc.Close()
		}
		var ne net.Error
		if err == nil || errors.As(err, &ne) && ne.Timeout() {
			t.Errorf("%s: %v, want to be turned away", name, err)
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.nodes) != 0 {
		t.Errorf("commands came from %v", n.nodes)
	}
}

func TestKeysOfNodesAreUnknownToClients(t *testing.T) {
	n := newNodeRig(t, nil)
	nc := n.dial(n.addr)
	versions := ask(t, nc, apiVersions(4)).(*kmsg.ApiVersionsResponse)
	listed := map[int16]bool{}
	for _, k := range versions.ApiKeys {
		listed[k.ApiKey] = true
	}
	if listed[own.KeyCommand] || !listed[56] || !listed[wire.KeyMetadata] {
		t.Errorf("listed: %v", listed)
	}
	req := kmsg.NewPtrAlterPartitionRequest()
	req.SetVersion(3)
	if resp := ask(t, nc, req).(*kmsg.AlterPartitionResponse); resp.ErrorCode != int16(wire.ClusterAuthorizationFailed) {
		t.Errorf("AlterPartition from a client: code %d, want CLUSTER_AUTHORIZATION_FAILED", resp.ErrorCode)
	}
	n.logged("only nodes of the cluster may make")
	later := time.Now().Add(time.Minute)
	n.setNow(func() time.Time { return later }) // lines like these come one a second
	send(t, nc, kmsg.NewRequestFormatter().AppendRequest(nil, &own.CommandRequest{Kind: "echo"}, 5))
	ends(t, nc)
	n.logged("the API key is unknown")
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.nodes) != 0 {
		t.Errorf("commands came from %v", n.nodes)
	}
}

// A node of a later release may ask for what this one does not know: it is told
// nothing that is not true, the log says what it was, and everybody else is served.
func TestWhatANodeOfALaterReleaseAsksIsRefusedInWords(t *testing.T) {
	n := newNodeRig(t, nil)
	p := n.pool(n.join().Identity)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, c := range []struct {
		key, version int16
		says         string
	}{
		{own.KeyCommand, 9, "Command version 9 is not served here"},
		{own.First + 99, 0, "the API key is unknown"},
	} {
		nc, err := p.Open(ctx, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		frame := kmsg.NewRequestFormatter().AppendRequest(nil, &own.CommandRequest{Kind: "echo"}, 5)
		binary.BigEndian.PutUint16(frame[4:], uint16(c.key))
		binary.BigEndian.PutUint16(frame[6:], uint16(c.version))
		send(t, nc, frame)
		ends(t, nc)
		n.logged(c.says)
		later := time.Now().Add(time.Hour)
		n.setNow(func() time.Time { return later }) // lines like these come one a second
		if got, err := n.command(p, "echo", "x"); err != nil || got != "x" {
			t.Errorf("another of its requests: %q, %v", got, err)
		}
	}
}

// A node gets in where clients have taken every place, and takes none of
// theirs.
func TestNodesAreOutsideTheLimitsOfClients(t *testing.T) {
	for name, settings := range map[string]map[string]string{
		"in all":         {"max.connections": "3"},
		"of one address": {"max.connections.per.ip": "3"},
	} {
		t.Run(name, func(t *testing.T) {
			n := newNodeRig(t, settings)
			joined := n.join()
			p := n.pool(joined.Identity)
			for range 3 {
				ask(t, n.dial(n.addr), apiVersions(3))
			}
			late := n.dial(n.addr)
			send(t, late, kmsg.NewRequestFormatter().AppendRequest(nil, apiVersions(3), 1))
			ends(t, late) // a client too many
			if got, err := n.command(p, "echo", "in"); err != nil || got != "in" {
				t.Fatalf("a node beside three clients: %q, %v", got, err)
			}
			eventually(t, "3 clients and a node", func() bool { return n.door.Connections() == 4 })
		})
	}
}

// Silent connections beyond the limit do not keep nodes out.
func TestSilenceAtTheDoorMakesRoom(t *testing.T) {
	n := newNodeRig(t, map[string]string{"max.connections": "0"})
	joined := n.join()
	silent := make([]net.Conn, maxKnocking+5)
	for i := range silent {
		silent[i] = n.dial(n.addr)
		eventually(t, "a knock", func() bool {
			n.door.mu.Lock()
			defer n.door.mu.Unlock()
			return len(n.door.knocking) >= min(i+1, maxKnocking)
		})
	}
	for _, nc := range silent[:5] {
		ends(t, nc) // the oldest made room
	}
	if got, err := n.command(n.pool(joined.Identity), "echo", "in"); err != nil || got != "in" {
		t.Fatalf("a node among silent connections: %q, %v", got, err)
	}
}

// Calls of a node are handled side by side: one that waits holds up none, and
// each gets its own answer.
func TestACallThatWaitsHoldsUpNoOther(t *testing.T) {
	n := newNodeRig(t, nil)
	p := n.pool(n.join().Identity)
	n.hold["slow"] = make(chan struct{})
	slow := make(chan error, 1)
	go func() {
		_, err := n.command(p, "slow", "s")
		slow <- err
	}()
	eventually(t, "the slow call", func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.nodes) == 1
	})
	for i := range 100 {
		body := strconv.Itoa(i)
		if got, err := n.command(p, "echo", body); err != nil || got != body {
			t.Fatalf("call %d: %q, %v", i, got, err)
		}
	}
	select {
	case err := <-slow:
		t.Fatalf("the slow call was answered: %v", err)
	default:
	}
	close(n.hold["slow"])
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
	if _, err := n.command(p, "fail", ""); wire.CodeOf(err) != wire.NotController || !strings.Contains(err.Error(), "not here") {
		t.Errorf("a handler's error: %v", err)
	}
}

// A panic in a call costs its connection and no more; the next call makes
// another.
func TestAPanicInACallCostsItsConnection(t *testing.T) {
	n := newNodeRig(t, nil)
	p := n.pool(n.join().Identity)
	if _, err := n.command(p, "panic", ""); wire.CodeOf(err) != wire.NetworkException {
		t.Fatalf("got %v, want NETWORK_EXCEPTION", err)
	}
	n.logged("told to panic")
	if got, err := n.command(p, "echo", "on"); err != nil || got != "on" {
		t.Fatalf("afterwards: %q, %v", got, err)
	}
}

// A connection of a node's own keeps the order of requests, and large answers
// come whole through TLS.
func TestAnOpenedConnectionAnswersInOrder(t *testing.T) {
	n := newNodeRig(t, nil)
	p := n.pool(n.join().Identity)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	nc, err := p.Open(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(patience))
	script := "pbrbwp"
	for i, letter := range []byte(script) {
		send(t, nc, op(letter, int32(i), i*1000))
	}
	eventually(t, "all requests taken", func() bool { return len(n.answers()) == len(script) })
	list := n.answers()
	for i := len(list) - 1; i >= 0; i-- { // the last first
		list[i].Ready()
	}
	for i := range script {
		if got := receive(t, nc); int(got[3]) != i {
			t.Fatalf("answer %d came, want %d", got[3], i)
		}
	}
}

// Nodes are never idle, whatever connections.max.idle.ms says.
func TestNodesAreNeverIdle(t *testing.T) {
	n := newNodeRig(t, map[string]string{"connections.max.idle.ms": "1000"})
	p := n.pool(n.join().Identity)
	if _, err := n.command(p, "echo", "x"); err != nil {
		t.Fatal(err)
	}
	client := n.dial(n.addr)
	ask(t, client, apiVersions(3))
	eventually(t, "the end of all writing", func() bool {
		n.door.mu.Lock()
		defer n.door.mu.Unlock()
		for c := range n.door.conns {
			if c.writingSince.Load() != 0 {
				return false
			}
		}
		return true
	})
	began := time.Now()
	n.setNow(func() time.Time { return began.Add(time.Hour) })
	n.door.sweep()
	ends(t, client)
	eventually(t, "the node's connection alone", func() bool { return n.door.Connections() == 1 })
	if _, err := n.command(p, "echo", "x"); err != nil {
		t.Errorf("after an hour: %v", err)
	}
}

func TestRowsBetweenNodesMustSaySo(t *testing.T) {
	n := newRig(t, nil)
	o := n.door.o
	o.Metrics = nil
	o.APIs = []api.API{api.Row(0, 0, func(context.Context, *api.Conn, *own.HeartbeatRequest) (kmsg.Response, error) { return nil, io.EOF })}
	if _, err := New(o); err == nil || !strings.Contains(err.Error(), "NodeHeartbeat") {
		t.Errorf("a row of nodes for everybody: %v", err)
	}
}
