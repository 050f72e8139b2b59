package lookback_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/bus"
	"ottla/internal/event/lookback"
	"ottla/internal/event/name"
	"ottla/internal/event/plan"
)

// defined are buses whose topics nobody can read.
type defined struct {
	lookback.Buses
	names []string
}

func (d defined) Current(context.Context) error { return nil }

func (d defined) List(_ context.Context, _ bus.Ref, after string, _ int) (out []bus.Bus, next string, err error) {
	for _, n := range d.names {
		if n > after { // one a page
			return []bus.Bus{{Ref: bus.Ref{Name: n}}}, n, nil
		}
	}
	return nil, "", nil
}

func (d defined) Get(_ context.Context, ref bus.Ref) (bus.Bus, error) {
	if !slices.Contains(d.names, ref.Name) {
		return bus.Bus{}, bus.ErrNotFound
	}
	return bus.Bus{Ref: ref}, nil
}

func (d defined) Source(ref name.Ref) (*plan.Source, bool) {
	return &plan.Source{Ref: ref, Topic: ref.Name}, slices.Contains(d.names, ref.Name)
}

func service(partitions int, names ...string) *lookback.Service {
	return lookback.New(lookback.Options{
		Buses: defined{names: names}, Now: func() time.Time { return time.UnixMilli(1) }, Partitions: func(string) int { return partitions },
		Client: func(...kgo.Opt) (*kgo.Client, error) { return nil, errors.New("nobody answers") },
	})
}

func TestWhatCannotBeReadIsNoEventThatIsNotThere(t *testing.T) {
	s := service(1, "audit", "shop")
	_, err := s.Trace(t.Context(), lookback.Query{ID: "e-1"})
	if !errors.Is(err, bus.ErrUnavailable) || errors.Is(err, lookback.ErrNotFound) || !strings.Contains(err.Error(), "bus audit") || !strings.Contains(err.Error(), "nobody answers") {
		t.Errorf("all buses: %v", err)
	}
	if _, err := s.Review(t.Context(), bus.Ref{Name: "none"}, 10); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("a review of no bus: %v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := s.Trace(ended, lookback.Query{ID: "e-1"}); !errors.Is(err, context.Canceled) {
		t.Errorf("somebody who is gone: %v", err)
	}
}

func TestBusesThatWereNotUsedHaveNoEvents(t *testing.T) {
	_, err := service(0, "audit", "shop").Trace(t.Context(), lookback.Query{ID: "e-1"})
	if !errors.Is(err, lookback.ErrNotFound) || !strings.Contains(err.Error(), "e-1") || !strings.Contains(err.Error(), "2 buses") {
		t.Errorf("got %v", err)
	}
}

func TestQueriesThatCannotBe(t *testing.T) {
	s := service(0, "shop")
	for _, q := range []lookback.Query{{}, {ID: strings.Repeat("x", 1025)}, {ID: "e", Last: -1}, {ID: "e", Last: lookback.MostLast + 1}} {
		if _, err := s.Trace(t.Context(), q); !errors.Is(err, bus.ErrInvalid) {
			t.Errorf("%.20q, last %d: %v", q.ID, q.Last, err)
		}
	}
	if _, err := s.Trace(t.Context(), lookback.Query{ID: "e", Bus: bus.Ref{Name: "none"}}); !errors.Is(err, bus.ErrNotFound) {
		t.Errorf("no such bus: %v", err)
	}
	if _, err := s.Review(t.Context(), bus.Ref{Name: "shop"}, -1); !errors.Is(err, bus.ErrInvalid) {
		t.Errorf("a review of -1 events: %v", err)
	}
}
