package coordinator

import (
	"testing"

	"ottla/internal/wire"
)

// exactly is a command that must be exact; the toy does not know it.
type exactly struct{ string }

func (exactly) Exact() {}

// A node that others may have taken over from gives no exact answer, by any way
// in; it takes everything else, which the replicas judge.
func TestExactReadsAreRefusedInDoubt(t *testing.T) {
	trusted := true
	s := &shards{logs: []*memLog{{most: 1 << 20, auto: true}}}
	s.Runtime = NewRuntime(Options{
		Topic: "__toys", Partitions: func() int { return 1 }, New: func(int32) Machine { return newToy() }, Trusted: func() bool { return trusted },
	})
	t.Cleanup(s.Close)
	s.lead(t, 1)
	ask := map[string]func(body any) error{
		"Do": func(body any) error { _, err := s.Do(t.Context(), "k", body); return err },
		"Go": func(body any) error {
			said := make(chan error, 1)
			s.Go(t.Context(), "k", body, func(_ any, err error) { said <- err })
			return <-said
		},
		"GoAt": func(body any) error {
			said := make(chan error, 1)
			s.GoAt(t.Context(), 0, body, func(_ any, err error) { said <- err })
			return <-said
		},
	}
	for way, ask := range ask {
		for _, trusted = range []bool{true, false, true} {
			if err := ask(exactly{"get x"}); (err == errDoubt) == trusted {
				t.Errorf("%s, exact, trusted %v: %v", way, trusted, err)
			}
			if err := ask("get x"); err != nil {
				t.Errorf("%s, trusted %v: %v", way, trusted, err)
			}
		}
	}
	if wire.CodeOf(errDoubt) != wire.NotCoordinator {
		t.Errorf("%v: clients look for the coordinator on NOT_COORDINATOR", errDoubt)
	}
}
