package protocol

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync"
)

// MaxBody bounds a request's body. The largest honest one is a batch of SQS:
// 1 MiB of text, of which every byte may be written as six (\u0009).
const MaxBody = 8 << 20

// keptBody is how large a buffer may be to be kept for other requests.
const keptBody = 64 << 10

var bodies = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// readBody gives the whole body in a buffer that release takes back. Memory
// grows with what came, not with what was announced.
func readBody(r *http.Request) (*bytes.Buffer, *Error) {
	b := bodies.Get().(*bytes.Buffer)
	b.Reset()
	if r.Body == nil {
		return b, nil
	}
	_, err := b.ReadFrom(http.MaxBytesReader(nil, r.Body, MaxBody))
	if err == nil {
		return b, nil
	}
	release(b)
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		e := Errorf("RequestEntityTooLarge", "the body has more than %d bytes, which no call needs", MaxBody)
		e.Status = http.StatusRequestEntityTooLarge
		return nil, e
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, unreadable("the body ended before its announced length")
	}
	return nil, unreadable("the body could not be read: %v", err)
}

// release gives a buffer back; its bytes must not be used any more.
func release(b *bytes.Buffer) {
	if b.Cap() <= keptBody {
		bodies.Put(b)
	}
}
