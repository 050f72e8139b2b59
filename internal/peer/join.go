package peer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"time"

	"ottla/internal/wire"
)

// Joined is what a node has once it was let in.
type Joined struct {
	// Identity is not kept on disk yet: see Identity.Save.
	Identity  *Identity
	NodeID    int32
	ClusterID string
	// Members are the nodes of the cluster when it was asked.
	Members []Member
}

// Joiner asks to be let into a cluster. The zero Joiner uses TCP and the
// wall's clock.
type Joiner struct {
	// Dial makes connections; net.Dialer's when nil.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Now is the clock that certificates are judged and made by.
	Now func() time.Time
	// Failed is told of every address that did not answer, or not now; the
	// next one is tried.
	Failed func(addr string, err error)
}

// Join is Joiner.Join with the zero Joiner.
func Join(ctx context.Context, addrs []string, r JoinRequest) (*Joined, error) {
	return Joiner{}.Join(ctx, addrs, r)
}

// Pauses between rounds through all addresses, and what one try may take: little
// in the first round, so that a node that is silent, or that reaches no others
// itself, keeps nobody from asking the next one; more in each, for a cluster that
// is slow. To ask again costs nothing: the place that was reserved is kept for the
// directory that asks.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 2 * time.Second
	firstTry   = oneDial
	lastTry    = admitTime + 2*handshakeTime // the other end's admitTime included
)

// Join asks the nodes at addrs, one after the other and again until ctx ends,
// to let this node in. A refusal that will not pass (a wrong token, another
// cluster) is a *Refused at once.
func (j Joiner) Join(ctx context.Context, addrs []string, r JoinRequest) (*Joined, error) {
	j.fill()
	t, err := r.judge(addrs)
	if err != nil {
		return nil, err
	}
	var last error
	for pause, try := firstPause, firstTry; ; pause, try = min(2*pause, lastPause), min(2*try, lastTry) {
		for _, addr := range addrs {
			joined, err := j.ask(ctx, try, addr, r, t)
			var refused *Refused
			switch {
			case err == nil:
				return joined, nil
			case errors.As(err, &refused):
				return nil, refused
			case ctx.Err() == nil || last == nil:
				last = fmt.Errorf("%s: %w", addr, err)
			}
			j.Failed(addr, err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("no node of the cluster let this one in (%w); the last that was asked: %w", ctx.Err(), last)
		case <-time.After(pause):
		}
	}
}

func (j *Joiner) fill() {
	if j.Dial == nil {
		j.Dial = new(net.Dialer).DialContext
	}
	if j.Now == nil {
		j.Now = time.Now
	}
	if j.Failed == nil {
		j.Failed = func(string, error) {}
	}
}

// judge looks at the request itself; nil stands for no token.
func (r *JoinRequest) judge(addrs []string) (*token, error) {
	switch {
	case len(addrs) == 0:
		return nil, &Refused{What: "a node that joins", Reason: "needs the address of a node of the cluster", Advice: "Name some with --join HOST:PORT"}
	case r.DirectoryID.IsZero():
		return nil, &Refused{What: "a node that joins", Reason: "needs the id of its data directory"}
	case r.Token == "" && !r.Insecure:
		return nil, &Refused{What: "a node that joins", Reason: "needs the cluster's token",
			Advice: "Start it with --token and what `ottla cluster token` prints on a node of the cluster; with --insecure it trusts whoever answers"}
	case r.Token == "":
		return nil, nil
	}
	t, err := parseToken(r.Token)
	if err != nil {
		return nil, &Refused{What: "joining", Reason: "is not possible", Cause: err}
	}
	if r.ClusterID != "" && r.ClusterID != t.cluster {
		return nil, &Refused{What: "the token", Reason: fmt.Sprintf("is of cluster %s, and this node's directory belongs to cluster %s", t.cluster, r.ClusterID),
			Advice: "Use the token of the directory's cluster, or an empty directory"}
	}
	return &t, nil
}

// ask asks one node, which has so long for its answer.
func (j *Joiner) ask(ctx context.Context, try time.Duration, addr string, r JoinRequest, t *token) (*Joined, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, try, fmt.Errorf("no answer within %v", try))
	defer cancel()
	joined, err := j.meet(ctx, addr, r, t)
	var refused *Refused
	if late := context.Cause(ctx); err != nil && late != nil && !errors.As(err, &refused) {
		return nil, late
	}
	return joined, err
}

// meet makes the connection and talks.
func (j *Joiner) meet(ctx context.Context, addr string, r JoinRequest, t *token) (*Joined, error) {
	nc, err := j.Dial(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { _ = nc.Close() })()
	tune(nc, unackedFor)
	met := &meeting{addr: addr, request: &r, token: t, now: j.Now()}
	c := newConn(nc, nil, met.config(), true)
	if err := c.HandshakeContext(ctx); err != nil {
		return nil, met.explain(err)
	}
	return met.talk(c)
}

// meeting is one talk with a node that is not known yet.
type meeting struct {
	addr      string
	request   *JoinRequest
	token     *token
	now       time.Time
	authority *x509.Certificate
	cluster   string
}

func (m *meeting) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{protoJoin}, SessionTicketsDisabled: true,
		InsecureSkipVerify: true, // VerifyConnection does it, by the token's fingerprint
		VerifyConnection:   m.verify,
	}
}

// verify checks that the other end is of the cluster that the token is of;
// without a token, that it is a node of some cluster.
func (m *meeting) verify(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) != 2 {
		return &Refused{What: m.addr, Reason: "is no node of an Ottla cluster"}
	}
	leaf, authority := cs.PeerCertificates[0], cs.PeerCertificates[1]
	is, err := whoseOf(leaf)
	if err != nil || !authority.IsCA {
		return &Refused{What: m.addr, Reason: "is no node of an Ottla cluster", Cause: err}
	}
	want := m.request.ClusterID
	if m.token != nil {
		want = m.token.cluster
	}
	switch {
	case want != "" && is.ClusterID != want:
		return &Refused{What: "the node at " + m.addr, Reason: fmt.Sprintf("is of cluster %s, and this one is to join cluster %s", is.ClusterID, want),
			Advice: "Name a node of the right cluster with --join, or the token of the other"}
	case m.token != nil && fingerprintOf(authority) != m.token.authority:
		return &Refused{What: "the node at " + m.addr, Reason: fmt.Sprintf("says it is of cluster %s and is not: its authority is another than the token's", is.ClusterID),
			Advice: "Nothing secret was sent. Copy the token anew from `ottla cluster token` on a node that you trust"}
	}
	roots := x509.NewCertPool()
	roots.AddCert(authority)
	_, err = leaf.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: m.now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	if err != nil {
		return &Refused{What: "the node at " + m.addr, Reason: "shows a certificate that does not hold", Cause: err}
	}
	m.authority, m.cluster = authority, is.ClusterID
	return nil
}

// explain makes a sentence of a failed handshake.
func (m *meeting) explain(err error) error {
	var notTLS tls.RecordHeaderError
	if errors.As(err, &notTLS) {
		return &Refused{What: m.addr, Reason: "does not speak TLS: it is no node of an Ottla cluster", Cause: err}
	}
	return err
}

// talk says who we are and hears whether we are in.
func (m *meeting) talk(c *Conn) (*Joined, error) {
	r := m.request
	ask := joinAsk{Cluster: r.ClusterID, Node: r.NodeID, DirectoryID: r.DirectoryID.String(), Endpoints: r.Endpoints}
	if m.token != nil {
		ask.Secret = m.token.secret[:]
	}
	if _, err := c.Write(appendFrame(nil, marshal(ask))); err != nil {
		return nil, err
	}
	frame, err := readFrame(c, maxJoinFrame)
	if err != nil {
		return nil, fmt.Errorf("wait for an answer: %w", err)
	}
	a, err := parseAnswer(frame)
	switch {
	case err != nil:
		return nil, err
	case a.Refusal != "" && a.Retry:
		return nil, wire.Errorf(wire.CoordinatorNotAvailable, "not yet: %s", a.Refusal)
	case a.Refusal != "":
		return nil, &Refused{What: "the node at " + m.addr, Reason: "does not let this one in: " + a.Refusal}
	}
	return m.joined(a)
}

// joined makes the node's own certificate with what it was given.
func (m *meeting) joined(a joinAnswer) (*Joined, error) {
	cert, key, err := parsePEM(a.Authority)
	if err != nil {
		return nil, fmt.Errorf("the authority that %s gave: %w", m.addr, err)
	}
	given := &authority{cert: cert, key: key}
	if err := given.check(); err != nil {
		return nil, fmt.Errorf("the authority that %s gave: %w", m.addr, err)
	}
	if a.Cluster != m.cluster || !cert.Equal(m.authority) {
		return nil, &Refused{What: "the node at " + m.addr, Reason: "gave an authority that is not the one it showed"}
	}
	w := Whose{ClusterID: m.cluster, NodeID: a.Node, DirectoryID: m.request.DirectoryID}
	id, err := newIdentity(w, given, [secretSize]byte(a.Secret), m.now)
	if err != nil {
		return nil, err
	}
	return &Joined{Identity: id, NodeID: a.Node, ClusterID: m.cluster, Members: a.Members}, nil
}
