package moves

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"ottla/internal/cli/balance"
)

// fake is a cluster in which moves take so many looks.
type fake struct {
	takes   int
	on      map[Name]int
	most    int
	refuse  map[Name]error
	broken  error
	elected []Name
}

func (f *fake) Assign(_ context.Context, moves []balance.Move) ([]error, error) {
	if f.broken != nil {
		return nil, f.broken
	}
	out := make([]error, len(moves))
	for i, m := range moves {
		name := Name{m.Topic, m.Index}
		if out[i] = f.refuse[name]; out[i] == nil {
			f.on[name] = f.takes
		}
	}
	f.most = max(f.most, len(f.on))
	return out, nil
}

func (f *fake) UnderWay(context.Context) (map[Name]bool, error) {
	out := map[Name]bool{}
	for name, left := range f.on {
		if left == 0 {
			delete(f.on, name)
			continue
		}
		f.on[name], out[name] = left-1, true
	}
	return out, nil
}

func (f *fake) Elect(_ context.Context, names []Name) error {
	f.elected = names
	return nil
}

func plan(n int32) (out []balance.Move) {
	for i := range n {
		out = append(out, balance.Move{Topic: "t", Index: i})
	}
	return out
}

func noWait(context.Context) error { return nil }

func TestAPlanIsCarriedOutAFewAtATime(t *testing.T) {
	f := &fake{takes: 2, on: map[Name]int{}}
	var told []string
	r, err := Run(context.Background(), f, plan(7), Options{AtOnce: 3, Wait: noWait, Tell: func(e Event) {
		told = append(told, fmt.Sprintf("%d/%d", e.Nth, e.Total))
	}})
	if err != nil || r != (Result{Done: 7}) {
		t.Fatalf("%+v: %v", r, err)
	}
	if f.most != 3 || len(f.elected) != 7 {
		t.Errorf("%d on their way at once, %d elected", f.most, len(f.elected))
	}
	if want := []string{"1/7", "2/7", "3/7", "4/7", "5/7", "6/7", "7/7"}; !slices.Equal(told, want) {
		t.Errorf("told %v", told)
	}
}

func TestRefusedMovesDoNotStopTheOthers(t *testing.T) {
	f := &fake{on: map[Name]int{}, refuse: map[Name]error{{"t", 1}: errors.New("no")}}
	var refused []int32
	r, err := Run(context.Background(), f, plan(3), Options{AtOnce: 10, Wait: noWait, Tell: func(e Event) {
		if e.Err != nil {
			refused = append(refused, e.Move.Index)
		}
	}})
	if err != nil || r != (Result{Done: 2, Refused: 1}) || !slices.Equal(refused, []int32{1}) {
		t.Errorf("%+v, refused %v: %v", r, refused, err)
	}
	if slices.Contains(f.elected, Name{"t", 1}) {
		t.Error("a partition that did not move had its leader elected")
	}
}

func TestAContextThatEndsLeavesTheRest(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	f := &fake{takes: 1 << 20, on: map[Name]int{}}
	r, err := Run(ctx, f, plan(5), Options{AtOnce: 2, Wait: func(ctx context.Context) error { cancel(); return ctx.Err() }, Tell: func(Event) {}})
	if err != nil || r != (Result{UnderWay: 2, Left: 3}) || f.elected != nil {
		t.Errorf("%+v, elected %v: %v", r, f.elected, err)
	}
}

func TestAClusterThatFailsIsAnError(t *testing.T) {
	f := &fake{on: map[Name]int{}, broken: errors.New("gone")}
	r, err := Run(context.Background(), f, plan(2), Options{AtOnce: 2, Wait: noWait, Tell: func(Event) {}})
	if !errors.Is(err, f.broken) || r.Left != 2 {
		t.Errorf("%+v: %v", r, err)
	}
}
