package timers

import (
	"context"
	"errors"
	"testing"

	"ottla/internal/metadata"
	"ottla/internal/timer"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// Each coordinator is asked once, wherever it is.
func TestTimersForATopicAreCountedAndCancelledAtAllCoordinators(t *testing.T) {
	counted, cancelled := make([]int, 3), make([]int, 3)
	s := &scene{}
	here := func(partition int32, cmd any) (any, error) {
		switch c := cmd.(type) {
		case timer.CountTopic:
			counted[partition]++
			return int64(10 * len(c.Topic)), nil
		case timer.CancelTopic:
			cancelled[partition]++
			return int64(len(c.Topic)), nil
		}
		return nil, errors.New("what?")
	}
	s.here = here
	far := New(Deps{Timers: &scene{here: here}, NodeID: 2, Cluster: s})
	s.there = func(_ int32, req *own.TimersRequest) (*own.TimersResponse, error) {
		again := &own.TimersRequest{}
		if err := again.ReadFrom(req.AppendTo(nil)); err != nil {
			return nil, err
		}
		resp := &own.TimersResponse{}
		return resp, resp.ReadFrom(far.serve(context.Background(), again).AppendTo(nil))
	}
	s.lead(t, 1, 2, 1)
	f := s.family()
	if n, err := f.Count(t.Context(), "abc"); n != 90 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
	if n, err := f.CancelTopic(t.Context(), "abcd"); n != 12 || err != nil {
		t.Errorf("cancelled %d, %v", n, err)
	}
	for p := range 3 {
		if counted[p] != 1 || cancelled[p] != 1 {
			t.Errorf("coordinator %d was asked %d and %d times", p, counted[p], cancelled[p])
		}
	}
}

func TestWhereNoTimerEverWasNoneIsCounted(t *testing.T) {
	s := &scene{image: metadata.Empty()}
	f := s.family()
	if n, err := f.Count(t.Context(), "orders"); n != 0 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
	if n, err := f.CancelTopic(t.Context(), "orders"); n != 0 || err != nil {
		t.Errorf("cancelled %d, %v", n, err)
	}
}

// Both may be asked again whatever was lost.
func TestACountFollowsCoordinatorsThatMove(t *testing.T) {
	lost := &wire.Error{Code: wire.NotCoordinator, Message: "lost", Cause: errors.New("why")}
	tries := 0
	s := &scene{here: func(int32, any) (any, error) {
		if tries++; tries%2 == 1 {
			return nil, lost
		}
		return int64(7), nil
	}}
	s.lead(t, 1)
	f := s.family()
	if n, err := f.Count(t.Context(), "orders"); n != 7 || err != nil {
		t.Errorf("counted %d, %v", n, err)
	}
	if n, err := f.CancelTopic(t.Context(), "orders"); n != 7 || err != nil {
		t.Errorf("cancelled %d, %v", n, err)
	}
	s.here = func(int32, any) (any, error) { return nil, wire.KafkaStorageError }
	if _, err := f.Count(t.Context(), "orders"); !errors.Is(err, wire.KafkaStorageError) {
		t.Errorf("a coordinator that cannot tell: %v", err)
	}
}
