package replica

import (
	"math/rand/v2"
	"testing"

	"ottla/internal/wire"
)

// TestInvariantsHoldWhateverTheOrder runs random events through a leader of
// three and checks after each what doc.go promises.
func TestInvariantsHoldWhateverTheOrder(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		s := New(1)
		s.Configure(Rules{Synced: true, MinInsync: 1 + rnd.IntN(3)})
		s.Open(0, 50, 50, rnd.Int64N(50))
		a := Assignment{Leader: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}}
		s.Become(a)
		synced := map[int32]int64{1: 50, 2: unknown, 3: unknown} // as told in this epoch
		for step := range 300 {
			high, end, start, stable := s.High(), s.End(), s.Start(), s.Stable()
			id := 2 + rnd.Int32N(2)
			switch rnd.IntN(9) {
			case 0:
				s.Appended(end + rnd.Int64N(10))
			case 1, 2:
				d := min(synced[1]+rnd.Int64N(20), end)
				s.Durable(d)
				synced[1] = max(synced[1], d)
			case 3, 4, 5:
				at := rnd.Int64N(end + 1)
				sy := rnd.Int64N(at + 1)
				if c := s.Fetched(id, Fetch{Appended: at, Synced: sy, NowMs: int64(step)}); c != wire.None {
					t.Fatalf("seed %d: a replica's fetch is refused: %s", seed, c.Name())
				}
				synced[id] = sy
			case 6:
				s.Propose([][]int32{{1, 2, 3}, {1, 2}, {1, 3}, {1}}[rnd.IntN(4)])
			case 7:
				s.Started(start + rnd.Int64N(high-start+1))
			case 8:
				a.PartitionEpoch++
				if rnd.IntN(4) == 0 {
					a.LeaderEpoch++
					synced[2], synced[3] = unknown, unknown
				}
				a.ISR = [][]int32{{1, 2, 3}, {1, 2}, {1, 3}, {1}}[rnd.IntN(4)]
				s.Become(a)
			}
			if s.High() < high || s.Start() < start || s.End() < end || s.Stable() < stable {
				t.Fatalf("seed %d, step %d: an offset went back: %s", seed, step, describe(&s))
			}
			if s.Start() > s.Stable() || s.Stable() > s.High() || s.High() > s.End() {
				t.Fatalf("seed %d, step %d: offsets out of order: %s", seed, step, describe(&s))
			}
			if s.High() == high {
				continue
			}
			for _, r := range []int32{1, 2, 3} {
				if s.InSync(r) && synced[r] < s.High() {
					t.Fatalf("seed %d, step %d: the high watermark went to %d, but %d has told %d: %s",
						seed, step, s.High(), r, synced[r], describe(&s))
				}
			}
		}
	}
}
