package peer

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

// gate is an Admit that notes who asked.
type gate struct {
	mu      sync.Mutex
	asked   []JoinRequest
	refusal []error // given in turn
}

func (g *gate) admit(_ context.Context, r JoinRequest) (int32, []Member, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.asked = append(g.asked, r)
	if len(g.refusal) > 0 {
		err := g.refusal[0]
		g.refusal = g.refusal[1:]
		return 0, nil, err
	}
	return 5, []Member{{NodeID: 1, Addrs: []string{"a:1", "b:2"}}}, nil
}

func (g *gate) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.asked)
}

// ask is what a node with directory 5 asks of a cluster.
func ask(id *Identity) JoinRequest {
	return JoinRequest{Token: id.Token(), NodeID: -1, DirectoryID: uuid.UUID{5}, Endpoints: []Endpoint{{"PLAINTEXT", "h", 9092}}}
}

func joinAt(t *testing.T, r JoinRequest, addrs ...string) (*Joined, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return Joiner{Now: fixed}.Join(ctx, addrs, r)
}

// refusedWith asks that err is a refusal with a text.
func refusedWith(t *testing.T, what string, err error, text string) {
	t.Helper()
	var r *Refused
	if !errors.As(err, &r) || !strings.Contains(err.Error(), text) {
		t.Errorf("%s: %v, want a refusal with %q", what, err, text)
	}
}

func TestANodeJoinsAndIsANode(t *testing.T) {
	one := founded(t)
	g := &gate{}
	s := newStation(t, one, func(o *ServerOptions) { o.Admit = g.admit })
	j, err := joinAt(t, ask(one), s.addr)
	if err != nil {
		t.Fatal(err)
	}
	want := Whose{"C", 5, uuid.UUID{5}}
	if j.NodeID != 5 || j.ClusterID != "C" || j.Identity.Whose != want || j.Identity.Token() != one.Token() {
		t.Errorf("joined as %+v", j)
	}
	if !reflect.DeepEqual(j.Members, []Member{{NodeID: 1, Addrs: []string{"a:1", "b:2"}}}) {
		t.Errorf("members %+v", j.Members)
	}
	if !reflect.DeepEqual(g.asked[0].Endpoints, ask(one).Endpoints) || g.asked[0].DirectoryID != (uuid.UUID{5}) || g.asked[0].Token != "" {
		t.Errorf("the cluster was asked %+v", g.asked[0])
	}
	f := vfs.NewMem(0)
	if err := f.MkdirAll("/d", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := j.Identity.Save(f, "/d"); err != nil {
		t.Fatal(err)
	}
	kept, err := Load(f, "/d", want)
	if err != nil || !kept.Equal(j.Identity) {
		t.Fatalf("kept and loaded: %v, %v", kept, err)
	}
	echo(t, pool(t, kept, nil, s), 1, "as node 5")
	// It lets others in itself.
	s5 := newStation(t, kept, func(o *ServerOptions) { o.Admit = g.admit })
	if _, err := joinAt(t, ask(one), s5.addr); err != nil {
		t.Errorf("let in by the node that joined: %v", err)
	}
}

// Who has no right token learns nothing, and nobody is asked about him.
func TestWithoutTheRightTokenNobodyGetsIn(t *testing.T) {
	one := founded(t)
	g := &gate{}
	s := newStation(t, one, func(o *ServerOptions) { o.Admit = g.admit })
	wrong, err := parseToken(one.Token())
	if err != nil {
		t.Fatal(err)
	}
	wrong.secret[0] ^= 1
	r := ask(one)
	r.Token = wrong.String()
	_, err = joinAt(t, r, s.addr)
	refusedWith(t, "a wrong secret", err, "the token is not that of this cluster")
	r.Token, r.Insecure = "", true
	_, err = joinAt(t, r, s.addr)
	refusedWith(t, "no token", err, "asks for a token")
	r.Insecure = false
	_, err = joinAt(t, r, s.addr)
	refusedWith(t, "no token and no --insecure", err, "needs the cluster's token")
	r.Token = "ottla1.nonsense"
	_, err = joinAt(t, r, s.addr)
	refusedWith(t, "nonsense", err, "cannot be read")
	if g.count() != 0 {
		t.Errorf("the cluster was asked %d times", g.count())
	}
}

func TestInsecureNodesJoinWithoutAToken(t *testing.T) {
	one := founded(t)
	g := &gate{}
	s := newStation(t, one, func(o *ServerOptions) { o.Admit, o.Insecure = g.admit, true })
	r := ask(one)
	r.Token, r.Insecure = "", true
	j, err := joinAt(t, r, s.addr)
	if err != nil {
		t.Fatal(err)
	}
	// The identity is checked all the same.
	echo(t, pool(t, j.Identity, nil, s), 1, "let in")
	stranger := pool(t, founded(t), nil, s)
	if _, err := stranger.Call(t.Context(), 1, command("x")); wire.CodeOf(err) != wire.NetworkException {
		t.Errorf("a stranger's call: %v", err)
	}
}

func TestTheWrongClusterIsRefusedWithASentence(t *testing.T) {
	one, other := founded(t), founded(t)
	d := other.of(t, Whose{"D", 1, uuid.UUID{1}})
	g := &gate{}
	admit := func(o *ServerOptions) { o.Admit, o.Insecure = g.admit, true }
	atC, atD := newStation(t, one, admit), newStation(t, d, admit)
	_, err := joinAt(t, ask(one), atD.addr)
	refusedWith(t, "C's token at D", err, "is of cluster D, and this one is to join cluster C")
	r := ask(one)
	r.ClusterID = "D"
	_, err = joinAt(t, r, atC.addr)
	refusedWith(t, "C's token for a directory of D", err, "the token is of cluster C, and this node's directory belongs to cluster D")
	r.Token, r.Insecure = "", true
	_, err = joinAt(t, r, atC.addr)
	refusedWith(t, "a directory of D at C", err, "is of cluster C, and this one is to join cluster D")
	r.ClusterID, r.NodeID = "", -1
	if _, err := joinAt(t, r, atD.addr); err != nil {
		t.Errorf("no cluster wanted: %v", err)
	}
	r.DirectoryID = uuid.UUID{}
	_, err = joinAt(t, r, atD.addr)
	refusedWith(t, "no directory", err, "needs the id of its data directory")
	_, err = joinAt(t, ask(one))
	refusedWith(t, "no address", err, "needs the address")
}

// The secret is shown to nobody but the token's own authority.
func TestTheSecretStaysWhenTheAuthorityIsAnother(t *testing.T) {
	one := founded(t)
	liar := founded(t) // says that it is of cluster C too
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	heard := make(chan int, 1)
	go func() {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		defer nc.Close()
		c := tls.Server(nc, liar.baseConfig(protoJoin))
		n, _ := c.Read(make([]byte, 1024))
		heard <- n
	}()
	_, err = joinAt(t, ask(one), l.Addr().String())
	refusedWith(t, "a liar", err, "its authority is another than the token's")
	if n := receive(t, "the liar's ear", heard); n != 0 {
		t.Errorf("the liar heard %d bytes", n)
	}
}

// A cluster that cannot admit now, and a node that does not answer, are tried
// again; the next address is asked at once.
func TestJoiningGoesOnUntilSomebodyAnswers(t *testing.T) {
	one := founded(t)
	g := &gate{refusal: []error{wire.NotController, errors.New("the disk is on fire")}}
	s := newStation(t, one, func(o *ServerOptions) { o.Admit = g.admit })
	const dead = "127.0.0.1:1" // a port that was free a moment ago may be another test's by now
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	failed := map[string]int{}
	j, err := Joiner{Now: fixed, Failed: func(addr string, err error) {
		failed[addr]++
		if strings.Contains(err.Error(), "on fire") {
			t.Errorf("an internal error is shown: %v", err)
		}
	}}.Join(ctx, []string{dead, s.addr}, ask(one))
	if err != nil || j.NodeID != 5 {
		t.Fatalf("%+v, %v", j, err)
	}
	if failed[dead] != 3 || failed[s.addr] != 2 {
		t.Errorf("tries that failed: %v", failed)
	}
}

// A node that gave this one up may be in by another, and gone again, when the cluster
// hears of it: its number would be kept for it for good (a run of test/faults -nodes 3
// had that).
func TestNoPlaceIsReservedForWhoHasHungUp(t *testing.T) {
	one := founded(t)
	asked, over := make(chan struct{}), make(chan error, 1)
	s := newStation(t, one, func(o *ServerOptions) {
		o.Admit = func(ctx context.Context, _ JoinRequest) (int32, []Member, error) {
			close(asked)
			select {
			case <-ctx.Done(): // the controller is not heard
			case <-time.After(patience):
			}
			over <- context.Cause(ctx)
			return 0, nil, ctx.Err()
		}
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := (Joiner{Now: fixed}).Join(ctx, []string{s.addr}, ask(one)); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if err := <-over; !errors.Is(err, errHungUp) {
		t.Errorf("the place is reserved on: %v", err)
	}
}

func TestJoiningEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Joiner{Now: fixed, Failed: func(string, error) { cancel() }}.Join(ctx, []string{"127.0.0.1:1"}, ask(founded(t)))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "127.0.0.1:1") {
		t.Errorf("%v, want the last address that was asked in it", err)
	}
}

func TestARefusalOfTheClusterIsFinal(t *testing.T) {
	one := founded(t)
	g := &gate{refusal: []error{wire.Errorf(wire.DuplicateBrokerRegistration, "node 5 has another directory")}}
	s := newStation(t, one, func(o *ServerOptions) { o.Admit = g.admit })
	_, err := joinAt(t, ask(one), s.addr)
	refusedWith(t, "a taken id", err, "node 5 has another directory")
	closed := newStation(t, one, nil)
	_, err = joinAt(t, ask(one), closed.addr)
	refusedWith(t, "a node that admits nobody", err, "admits no other nodes")
}

// What stands at the address may be anything.
func TestWhatIsNoNodeIsNotJoined(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = nc.Write([]byte("220 mail.example ESMTP\r\n"))
			_ = nc.Close()
		}
	}()
	_, err = joinAt(t, ask(founded(t)), l.Addr().String())
	refusedWith(t, "a mail server", err, "does not speak TLS")
}

func FuzzJoinFrames(f *testing.F) {
	f.Add(marshal(joinAsk{Secret: make([]byte, secretSize), Cluster: "C", Node: -1, DirectoryID: uuid.UUID{5}.String(), Endpoints: []Endpoint{{"P", "h", 1}}}))
	f.Add(marshal(joinAnswer{Refusal: "no", Retry: true}))
	f.Add(marshal(joinAnswer{Cluster: "C", Node: 5, Authority: []byte("x"), Secret: make([]byte, secretSize), Members: []Member{{1, []string{"a:1"}}}}))
	f.Add([]byte(`{"node":-2,"directory":"AAAAAAAAAAAAAAAAAAAAAA"}`))
	f.Fuzz(func(t *testing.T, frame []byte) {
		if r, _, err := parseAsk(frame); err == nil && (r.NodeID < -1 || r.DirectoryID.IsZero() || len(r.Endpoints) > maxEndpoints) {
			t.Errorf("%q is taken as %+v", frame, r)
		}
		if a, err := parseAnswer(frame); err == nil && a.Refusal == "" && (a.Node < 0 || len(a.Secret) != secretSize) {
			t.Errorf("%q is taken as %+v", frame, a)
		}
	})
}

// A node that does not answer, or not for now, keeps nobody from asking the next
// one; a cluster that is slow is given more time in each round.
func TestANodeThatIsSilentIsNotWaitedForWhereAnotherLetsIn(t *testing.T) {
	one := founded(t)
	for name, c := range map[string]struct {
		slow time.Duration // that the node that lets in takes
		want time.Duration
	}{
		"at once": {0, 2 * firstTry},
		"slowly":  {3 * firstTry, (3+3*2+2*4+3)*firstTry + 3*firstPause},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := NewServer(ServerOptions{
				Identity: func() (*Identity, error) { return one, nil }, Now: fixed,
				Admit: func(ctx context.Context, _ JoinRequest) (int32, []Member, error) {
					<-time.After(c.slow)
					return 5, nil, ctx.Err()
				},
			})
			dial := func(ctx context.Context, _, addr string) (net.Conn, error) {
				if addr == "lost:1" { // every packet is
					<-ctx.Done()
					return nil, ctx.Err()
				}
				mine, theirs := net.Pipe()
				if addr == "well:1" {
					go s.Handle(theirs, nil)
				} else {
					go func() { _, _ = io.Copy(io.Discard, theirs) }()
				}
				return mine, nil
			}
			began := time.Now()
			j, err := Joiner{Dial: dial, Now: fixed}.Join(t.Context(), []string{"lost:1", "mute:1", "well:1"}, ask(one))
			if err != nil || j.NodeID != 5 {
				t.Fatalf("%s: joined as %+v, %v", name, j, err)
			}
			if took := time.Since(began); took != c.want {
				t.Errorf("%s: it took %v, want %v", name, took, c.want)
			}
			if err := s.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}
