package seal

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// prefix begins every sealed text.
const prefix = "sealed1."

const keySize = 32

// ErrBroken says that a text was not sealed here, or not for this.
var ErrBroken = errors.New("the sealed text does not open: it was changed, or belongs to something else")

// Objects are where the key is kept (event/object).
type Objects interface {
	Put(ctx context.Context, o object.Object) (object.Object, error)
	Get(ctx context.Context, ref name.Ref) (object.Object, error)
}

// Box seals and opens.
type Box struct {
	objects Objects

	mu     sync.Mutex // guards cipher
	cipher cipher.AEAD
}

// New makes a box. The key is read, or drawn, when it is first needed.
func New(objects Objects) *Box { return &Box{objects: objects} }

// Seal closes a text that is about something: an object's key, and its id.
func (b *Box) Seal(ctx context.Context, plain []byte, about string) (string, error) {
	a, err := b.aead(ctx)
	if err != nil {
		return "", err
	}
	nonce := make([]byte, a.NonceSize())
	rand.Read(nonce) // it does not fail
	return prefix + base64.RawURLEncoding.EncodeToString(a.Seal(nonce, nonce, plain, []byte(about))), nil
}

// Open is the inverse of Seal.
func (b *Box) Open(ctx context.Context, sealed, about string) ([]byte, error) {
	text, ok := strings.CutPrefix(sealed, prefix)
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if !ok || err != nil {
		return nil, ErrBroken
	}
	a, err := b.aead(ctx)
	if err != nil {
		return nil, err
	}
	if len(raw) < a.NonceSize() {
		return nil, ErrBroken
	}
	plain, err := a.Open(nil, raw[:a.NonceSize()], raw[a.NonceSize():], []byte(about))
	if err != nil {
		return nil, ErrBroken
	}
	return plain, nil
}

// aead reads the key, or draws it.
func (b *Box) aead(ctx context.Context) (cipher.AEAD, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.cipher != nil {
		return b.cipher, nil
	}
	ref := name.Of(name.System, "secrets")
	o, err := b.objects.Get(ctx, ref)
	if errors.Is(err, object.ErrNotFound) {
		drawn := make([]byte, keySize)
		rand.Read(drawn) // it does not fail
		spec, merr := json.Marshal(drawn)
		if merr != nil {
			return nil, fmt.Errorf("make the key of secrets: %w", merr)
		}
		if o, err = b.objects.Put(ctx, object.Object{Ref: ref, Spec: spec}); errors.Is(err, object.ErrConflict) {
			o, err = b.objects.Get(ctx, ref)
		}
	}
	var key []byte
	if err == nil {
		err = json.Unmarshal(o.Spec, &key)
	}
	if err == nil && len(key) != keySize {
		err = fmt.Errorf("it has %d bytes, not %d", len(key), keySize)
	}
	if err != nil {
		return nil, fmt.Errorf("the key of secrets: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err == nil {
		b.cipher, err = cipher.NewGCM(block)
	}
	return b.cipher, err
}
