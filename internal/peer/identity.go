package peer

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"time"

	"ottla/internal/vfs"
)

// secretSize is the size of a cluster's secret.
const secretSize = 32

// Identity is what a node proves itself with, and lets others in with: its
// certificate and key, the cluster's authority and its secret. It does not
// change and may be used from any goroutine.
type Identity struct {
	Whose
	authority *authority
	secret    [secretSize]byte
	cert      *x509.Certificate
	key       *ecdsa.PrivateKey
	chain     tls.Certificate // cert and the authority's, as they are shown
	roots     *x509.CertPool
}

// Found makes the identity of a cluster's first node and keeps it in dir, the
// node's first data directory: a new authority, a new secret. It must not be
// called for a directory of a cluster that has other nodes: they would not
// know the new authority. now is the wall's clock.
func Found(f vfs.FS, dir string, w Whose, now time.Time) (*Identity, error) {
	a, err := newAuthority(w.ClusterID, now)
	if err != nil {
		return nil, fmt.Errorf("found the identity of cluster %s: %w", w.ClusterID, err)
	}
	var secret [secretSize]byte
	rand.Read(secret[:]) // never fails: it ends the process instead
	id, err := newIdentity(w, a, secret, now)
	if err != nil {
		return nil, err
	}
	if err := id.Save(f, dir); err != nil {
		return nil, err
	}
	return id, nil
}

// newIdentity gives a node of a cluster its certificate.
func newIdentity(w Whose, a *authority, secret [secretSize]byte, now time.Time) (*Identity, error) {
	cert, key, err := a.issue(w, now)
	if err != nil {
		return nil, err
	}
	return assemble(w, a, secret, cert, key), nil
}

// assemble puts the parts together; they have been checked.
func assemble(w Whose, a *authority, secret [secretSize]byte, cert *x509.Certificate, key *ecdsa.PrivateKey) *Identity {
	id := &Identity{Whose: w, authority: a, secret: secret, cert: cert, key: key, roots: x509.NewCertPool()}
	id.roots.AddCert(a.cert)
	id.chain = tls.Certificate{Certificate: [][]byte{cert.Raw, a.cert.Raw}, PrivateKey: key, Leaf: cert}
	return id
}

// Token is what another node needs to join: see token.go. It is a secret.
func (id *Identity) Token() string {
	return token{cluster: id.ClusterID, authority: fingerprintOf(id.authority.cert), secret: id.secret}.String()
}

// admits tells whether a secret is this cluster's, in a time that tells nothing.
func (id *Identity) admits(secret []byte) bool {
	return subtle.ConstantTimeCompare(secret, id.secret[:]) == 1
}

// Equal tells whether two identities are the same node's with the same
// certificate, authority and secret.
func (id *Identity) Equal(other *Identity) bool {
	return id.Whose == other.Whose && id.secret == other.secret &&
		bytes.Equal(id.cert.Raw, other.cert.Raw) && bytes.Equal(id.authority.cert.Raw, other.authority.cert.Raw)
}

// LogValue shows whose it is and none of its secrets.
func (id *Identity) LogValue() slog.Value { return slog.StringValue(id.Whose.String()) }

// String is as LogValue, so that no format shows the secrets.
func (id *Identity) String() string { return id.Whose.String() }

// GoString is as String, for %#v.
func (id *Identity) GoString() string { return "peer.Identity(" + id.Whose.String() + ")" }
