package course

import (
	"encoding/binary"
	"hash/fnv"

	"ottla/internal/event/plan"
)

// EventBridge is how it tries again: 185 times within a day.
func EventBridge() plan.Retry {
	return plan.Retry{Most: 185, MaxAgeMs: 24 * 3600_000, Jitter: 0.2}
}

// StandardWebhooks is what Standard Webhooks propose: ten attempts within three days
// and a bit.
func StandardWebhooks() plan.Retry {
	const s, m, h = 1000, 60_000, 3600_000
	return plan.Retry{Most: 9, WaitsMs: []int64{5 * s, 5 * m, 30 * m, 2 * h, 5 * h, 10 * h, 14 * h, 20 * h, 24 * h}, Jitter: 0.1}
}

// pause is how long a delivery waits after its attempts so far, 1 at least.
func pause(r plan.Retry, attempts int, seed uint64, number int64) int64 {
	return jittered(r.WaitMs(attempts), r.Jitter, seed, number, attempts)
}

// jittered draws a part of a wait.
func jittered(ms int64, part float64, seed uint64, number int64, n int) int64 {
	drawn := int64(float64(ms) * min(max(part, 0), 1))
	if drawn <= 0 {
		return ms
	}
	return ms - drawn + int64(draw(seed, number, n)%uint64(drawn+1))
}

// draw spreads its arguments over all numbers.
func draw(seed uint64, number int64, n int) uint64 {
	var b [24]byte
	binary.BigEndian.PutUint64(b[:], seed)
	binary.BigEndian.PutUint64(b[8:], uint64(number))
	binary.BigEndian.PutUint64(b[16:], uint64(n))
	h := fnv.New64a()
	_, _ = h.Write(b[:]) // a hash takes everything
	x := h.Sum64()
	return x ^ x>>29 // the low bits of this hash depend on few of its input's
}
