package peer

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// What a connection is for, as its ends agree on it (ALPN, RFC 7301).
const (
	protoJoin  = "ottla-join/1"  // a node asks to be let in; it has no certificate yet
	protoKafka = "ottla-kafka/1" // Kafka's protocol as a node, answers in order
	protoCalls = "ottla-calls/1" // the same, answers as they get done
	protoPull  = "ottla-pull/1"  // a follower's fetches, in the clear after the handshake
	protoRaft  = "ottla-raft/1"  // frames of the metadata quorum, one way
	protoProbe = "ottla-probe/1" // nothing: a node asks whether the other is there
)

// nodeProtos are those that ask both ends for a certificate. protoPull is one of
// them where both ends are insecure.
var nodeProtos = []string{protoKafka, protoCalls, protoRaft, protoProbe}

// nodeProtosOf are those that a node serves, the one it would rather speak first.
func nodeProtosOf(clear bool) []string {
	if clear {
		return append([]string{protoPull}, nodeProtos...)
	}
	return nodeProtos
}

// baseConfig is what all our connections have in common.
func (id *Identity) baseConfig(protos ...string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: protos, Certificates: []tls.Certificate{id.chain},
		SessionTicketsDisabled: true, DynamicRecordSizingDisabled: true,
	}
}

var errNoProtocol = errors.New("a TLS client that speaks no protocol of nodes: Kafka clients use security.protocol=PLAINTEXT here")

// serverConfig picks by what the other end wants to speak. This is the place
// where TLS for clients will be told from TLS of nodes. clear says that records
// may go in the clear.
func (id *Identity) serverConfig(now func() time.Time, clear bool) *tls.Config {
	join := id.baseConfig(protoJoin)
	served := nodeProtosOf(clear)
	node := id.baseConfig(served...)
	node.ClientAuth = tls.RequireAnyClientCert
	node.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := id.prove(cs.PeerCertificates, now())
		return err
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			for _, proto := range hello.SupportedProtos {
				switch {
				case proto == protoJoin:
					return join, nil
				case slices.Contains(served, proto):
					return node, nil
				}
			}
			return nil, errNoProtocol
		},
	}
}

// clientConfig is for speaking one of protos with a node of this cluster; which
// node it is the caller checks.
func (id *Identity) clientConfig(protos []string, now func() time.Time) *tls.Config {
	c := id.baseConfig(protos...)
	c.InsecureSkipVerify = true // VerifyConnection does it: names are not host names
	c.VerifyConnection = func(cs tls.ConnectionState) error {
		_, err := id.prove(cs.PeerCertificates, now())
		return err
	}
	return c
}

// prove checks that certificates are those of a node of this cluster, and
// tells which.
func (id *Identity) prove(shown []*x509.Certificate, now time.Time) (Whose, error) {
	if len(shown) == 0 {
		return Whose{}, &Refused{What: "the other end", Reason: "shows no certificate"}
	}
	cert := shown[0]
	is, nameErr := whoseOf(cert)
	_, err := cert.Verify(x509.VerifyOptions{Roots: id.roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	switch {
	case err != nil:
		return Whose{}, id.stranger(is, cert, now, err)
	case nameErr != nil:
		return Whose{}, &Refused{What: "the other end", Reason: "shows a certificate that is no node's", Cause: nameErr}
	case is.ClusterID != id.ClusterID:
		return Whose{}, id.stranger(is, cert, now, errNoName)
	}
	return is, nil
}

// stranger says why a certificate is not taken. The name in it is what it
// claims to be, and only used to tell what probably happened.
func (id *Identity) stranger(is Whose, cert *x509.Certificate, now time.Time, cause error) error {
	var invalid x509.CertificateInvalidError
	switch {
	case is.ClusterID == "":
		return &Refused{What: "the other end", Reason: "shows a certificate of another authority", Cause: cause}
	case is.ClusterID != id.ClusterID:
		return &Refused{What: fmt.Sprintf("node %d of cluster %s", is.NodeID, is.ClusterID),
			Reason: fmt.Sprintf("is not of this cluster, %s", id.ClusterID),
			Advice: "Look at the addresses that these nodes were told (--join, advertised listeners)"}
	case errors.As(cause, &invalid) && invalid.Reason == x509.Expired:
		return &Refused{What: is.String(),
			Reason: fmt.Sprintf("shows a certificate that holds from %s to %s, and the clock here says %s",
				cert.NotBefore.UTC().Format(time.RFC3339), cert.NotAfter.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)),
			Advice: "Set the clocks right, or let that node join anew", Cause: cause}
	}
	return &Refused{What: is.String(), Reason: "shows a certificate of another authority than this cluster's", Cause: cause,
		Advice: "The folder " + Folder + " of one of the two was made anew: remove it there and join with --join"}
}

// Refused says that an identity, a token or a node was not taken, and what to
// do: trying again does not help.
type Refused struct {
	What   string // what it was: a file, an address, a node
	Reason string // what is wrong, a clause that continues What
	Advice string // what to do, a sentence; may be empty
	Cause  error
}

// Error is a sentence of what it is and one of what to do.
func (r *Refused) Error() string {
	var b strings.Builder
	b.WriteString(r.What + " " + r.Reason)
	if r.Cause != nil {
		b.WriteString(": " + r.Cause.Error())
	}
	if r.Advice != "" {
		b.WriteString(". " + r.Advice)
	}
	return b.String()
}

// Unwrap gives the cause, nil when there is none beneath.
func (r *Refused) Unwrap() error { return r.Cause }
