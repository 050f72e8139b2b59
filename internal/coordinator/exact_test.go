package coordinator

import (
	"testing"
	"testing/synctest"

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

// firmly is a command of the toy's whose replies are firm, but for one.
type firmly struct{ line string }

func (firmly) Firm(reply any) bool { return reply != "soft" }

// A node that others may have taken over from says no last word that no replica has
// heard of: a client that comes from the one that took over would be fenced, or told
// that what it has begun there is over. Where nobody can take over it speaks on.
func TestNoLastWordIsSaidInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		trusted := true
		s := &shards{logs: []*memLog{{most: 1 << 20, auto: true}, {most: 1 << 20, auto: true}}}
		s.Runtime = NewRuntime(Options{
			Topic: "__toys", Partitions: func() int { return 2 }, New: func(int32) Machine { return newToy() }, Trusted: func() bool { return trusted },
		})
		defer s.Close()
		s.Lead(0, s.logs[0].tail(1))
		s.Lead(1, soleTail{s.logs[1].tail(1)})
		if err := s.SettleAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		ask := func(partition int32, body any) asked {
			said := make(chan asked, 1)
			s.GoAt(t.Context(), partition, body, func(body any, err error) { said <- asked{body, err} })
			return <-said
		}
		for p := range int32(2) {
			ask(p, "put k 1")
			ask(p, "put s soft")
		}
		for _, step := range []struct {
			what string
			body any
			want asked
			away bool // where another node has the partition
		}{
			{"a refusal", "no", asked{err: wire.InvalidRequest}, true},
			{"a reply that may be out of date", firmly{"get k"}, asked{body: "1"}, true},
			{"one that is not firm", firmly{"get s"}, asked{body: "soft"}, false},
			{"one of a command that has none such", "get k", asked{body: "1"}, false},
			{"what is written, which the replicas judge", firmly{"put k 1"}, asked{body: "1"}, false},
		} {
			for _, trusted = range []bool{true, false} {
				for p := range int32(2) {
					want := step.want
					if step.away && p == 0 && !trusted {
						want = asked{err: wire.NotCoordinator}
					}
					if got := ask(p, step.body); got.body != want.body || wire.CodeOf(got.err) != wire.CodeOf(want.err) {
						t.Errorf("%s, partition %d, trusted %v: got %v, want %v", step.what, p, trusted, got, want)
					}
				}
			}
		}
	})
}
