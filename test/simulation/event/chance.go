package event

import (
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// Stream is the source of chance of one component: another name, another stream.
func Stream(seed uint64, name string) *rand.Rand {
	h := fnv.New64a()
	h.Write([]byte(name))
	return rand.New(rand.NewPCG(seed, h.Sum64()))
}

// Bytes reads a stream as bytes.
type Bytes struct{ R *rand.Rand }

// Read implements io.Reader; it does not fail.
func (b Bytes) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(b.R.Uint32())
	}
	return len(p), nil
}

// Draw is one of the given values, each as likely as the others.
func Draw[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// Chance is true with a probability.
func Chance(r *rand.Rand, p float64) bool { return r.Float64() < p }

// Between is a time from a to below b; a where b is not above it.
func Between(r *rand.Rand, a, b time.Duration) time.Duration {
	if b <= a {
		return a
	}
	return a + time.Duration(r.Int64N(int64(b-a)))
}
