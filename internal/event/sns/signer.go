package sns

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // SignatureVersion 1 is SHA-1: SNS's clients ask for it
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/seal"
)

// keyRef is the object with the key by which notifications are signed, the same at
// every node.
var keyRef = name.Of(name.System, "sns-signing")

const (
	keyBits = 2048
	// certificateYears is how long the certificate is good: as long as it is used.
	certificateYears = 30
)

// keyNote is what that object says.
type keyNote struct {
	Key         string `json:"key"`         // PKCS #8, sealed
	Certificate string `json:"certificate"` // PEM
}

// signing is the key as it is used.
type signing struct {
	key  *rsa.PrivateKey
	pem  []byte
	file string // of the certificate
}

// signer signs notifications.
type signer struct {
	o    *Options
	box  *seal.Box
	have atomic.Pointer[signing]

	mu   sync.Mutex // guards what follows
	last map[[sha256.Size]byte]string
	ring [remembered][sha256.Size]byte
	next int
}

// remembered bounds the signatures that are kept, so that the subscriptions of a
// message share one. A pass renders a message for all of them in a row.
const remembered = 64

// ready returns when the key is there; it makes it where there is none.
func (g *signer) ready(ctx context.Context) error {
	if g.have.Load() != nil {
		return nil
	}
	o, err := g.o.Objects.Get(ctx, keyRef)
	if errors.Is(err, object.ErrNotFound) {
		o, err = g.make(ctx)
	}
	if err != nil {
		return fmt.Errorf("the key of notifications: %w", objectError(err))
	}
	s, err := g.read(ctx, &o)
	if err != nil {
		return fmt.Errorf("the key of notifications: %w", err)
	}
	g.have.Store(s)
	return nil
}

// make draws a key and stores it, unless another node is quicker.
func (g *signer) make(ctx context.Context) (object.Object, error) {
	note, err := g.draw(ctx)
	if err != nil {
		return object.Object{}, err
	}
	spec, err := json.Marshal(note)
	if err != nil {
		return object.Object{}, fmt.Errorf("write it: %w", err)
	}
	o, err := g.o.Objects.Put(ctx, object.Object{Ref: keyRef, Spec: spec})
	if errors.Is(err, object.ErrConflict) {
		return g.o.Objects.Current(ctx, keyRef)
	}
	return o, err
}

// draw makes a key and its certificate.
func (g *signer) draw(ctx context.Context) (*keyNote, error) {
	key, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		return nil, fmt.Errorf("draw it: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	now := g.o.Now()
	of := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "sns.ottla"}, NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(certificateYears, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, of, of, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("make its certificate: %w", err)
	}
	note := &keyNote{Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err == nil {
		note.Key, err = g.box.Seal(ctx, private, keyRef.Key())
	}
	if err != nil {
		return nil, fmt.Errorf("seal it: %w", err)
	}
	return note, nil
}

// read makes an object a key that signs.
func (g *signer) read(ctx context.Context, o *object.Object) (*signing, error) {
	var note keyNote
	if err := json.Unmarshal(o.Spec, &note); err != nil {
		return nil, fmt.Errorf("read %s: %w", o.Ref, err)
	}
	der, err := g.box.Open(ctx, note.Key, keyRef.Key())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Ref, err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", o.Ref, err)
	}
	key, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("read %s: it is no RSA key", o.Ref)
	}
	sum := sha256.Sum256([]byte(note.Certificate))
	return &signing{key, []byte(note.Certificate), "SimpleNotificationService-" + hex.EncodeToString(sum[:16]) + ".pem"}, nil
}

// errNoKey says that the key was not read yet: nothing is rendered before.
var errNoKey = errors.New("the key of notifications is not there yet")

// sign signs a text by a version of SNS's signatures.
func (g *signer) sign(version string, text []byte) (string, error) {
	s := g.have.Load()
	if s == nil {
		return "", errNoKey
	}
	id := sha256.Sum256(append([]byte(version+"\n"), text...))
	g.mu.Lock()
	known, ok := g.last[id]
	g.mu.Unlock()
	if ok {
		return known, nil
	}
	b, err := s.sign(version, text)
	if err != nil {
		return "", fmt.Errorf("sign a notification: %w", err)
	}
	out := base64.StdEncoding.EncodeToString(b)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.last == nil {
		g.last = map[[sha256.Size]byte]string{}
	}
	delete(g.last, g.ring[g.next])
	g.last[id], g.ring[g.next] = out, id
	g.next = (g.next + 1) % remembered
	return out, nil
}

func (s *signing) sign(version string, text []byte) ([]byte, error) {
	if version == "2" {
		sum := sha256.Sum256(text)
		return rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
	}
	sum := sha1.Sum(text) //nolint:gosec // see above
	return rsa.SignPKCS1v15(nil, s.key, crypto.SHA1, sum[:])
}

// CertificatePath begins the path of the certificate.
const CertificatePath = "/certificates/"

// Certificate gives the certificate by the name of its file; ErrNotFound for another.
func (s *Service) Certificate(ctx context.Context, file string) ([]byte, error) {
	if !strings.HasPrefix(file, "SimpleNotificationService-") {
		return nil, ErrNotFound
	}
	if _, err := s.o.Objects.Get(ctx, keyRef); err != nil {
		return nil, objectError(err)
	}
	if err := s.signer.ready(ctx); err != nil {
		return nil, err
	}
	if have := s.signer.have.Load(); have.file == file {
		return have.pem, nil
	}
	return nil, ErrNotFound
}
