package peer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// How long certificates hold. They begin a day before they were made, so that
// a node whose clock is behind can use one at once.
const (
	validFor   = 20 * 365 * 24 * time.Hour
	clockSlack = 24 * time.Hour
)

// authority signs the certificates of one cluster. Every node has it, so any
// node admits others.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// fingerprint is what a token knows an authority by: the SHA-256 of its public
// key.
type fingerprint [sha256.Size]byte

func fingerprintOf(cert *x509.Certificate) fingerprint {
	return sha256.Sum256(cert.RawSubjectPublicKeyInfo)
}

// maxClusterID is what a token has room for.
const maxClusterID = 255

// newAuthority draws a key and signs itself.
func newAuthority(cluster string, now time.Time) (*authority, error) {
	if cluster == "" || len(cluster) > maxClusterID {
		return nil, fmt.Errorf("a cluster id has 1 to %d bytes, this one has %d", maxClusterID, len(cluster))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("draw the authority's key: %w", err)
	}
	t, err := template(now)
	if err != nil {
		return nil, err
	}
	t.Subject = pkix.Name{CommonName: "Ottla cluster " + escape(cluster)}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign
	cert, err := sign(t, t, key, key)
	if err != nil {
		return nil, fmt.Errorf("sign the authority's certificate: %w", err)
	}
	return &authority{cert: cert, key: key}, nil
}

// issue makes a certificate for a node, and its key.
func (a *authority) issue(w Whose, now time.Time) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("draw the key of %s: %w", w, err)
	}
	t, err := template(now)
	if err != nil {
		return nil, nil, err
	}
	t.Subject = pkix.Name{CommonName: fmt.Sprintf("Ottla node %d", w.NodeID)}
	t.URIs = w.uris()
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth}
	cert, err := sign(t, a.cert, key, a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("sign the certificate of %s: %w", w, err)
	}
	return cert, key, nil
}

// template has what all our certificates share.
func template(now time.Time) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial.Add(serial, big.NewInt(1)),
		NotBefore:    now.Add(-clockSlack), NotAfter: now.Add(validFor),
	}, nil
}

func sign(t, parent *x509.Certificate, key, by *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, t, parent, &key.PublicKey, by)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

var errNotAuthority = errors.New("it is no certificate of an authority")

// check tells whether certificate and key are an authority's and belong
// together.
func (a *authority) check() error {
	if !a.cert.IsCA {
		return errNotAuthority
	}
	if err := a.cert.CheckSignatureFrom(a.cert); err != nil {
		return fmt.Errorf("the authority's certificate: %w", err)
	}
	return belongs(a.cert, a.key)
}

var errOtherKey = errors.New("the key is not that of the certificate")

func belongs(cert *x509.Certificate, key *ecdsa.PrivateKey) error {
	public, ok := cert.PublicKey.(*ecdsa.PublicKey)
	if !ok || !public.Equal(&key.PublicKey) {
		return errOtherKey
	}
	return nil
}
