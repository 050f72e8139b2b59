package moves

import (
	"context"
	"fmt"

	"ottla/internal/cli/balance"
)

// Name is a partition.
type Name struct {
	Topic string
	Index int32
}

// API is the cluster that changes.
type API interface {
	// Assign begins moves. The errors are those of single moves, in their order.
	Assign(ctx context.Context, moves []balance.Move) ([]error, error)
	// UnderWay are the partitions that are being moved.
	UnderWay(ctx context.Context) (map[Name]bool, error)
	// Elect gives partitions back to their preferred leaders, where those are in
	// sync.
	Elect(ctx context.Context, names []Name) error
}

// Options say how.
type Options struct {
	// AtOnce is how many partitions may be on their way, at least 1.
	AtOnce int
	// Wait is called between two looks at what is under way.
	Wait func(ctx context.Context) error
	// Tell is told of every move that is over, or refused.
	Tell func(Event)
}

// Event is a move that is over, or was refused.
type Event struct {
	Move balance.Move
	Err  error // why it was refused
	// Nth of Total moves, refused ones included.
	Nth, Total int
}

// Result is how far a plan came.
type Result struct {
	Done, Refused int
	UnderWay      int // begun, and not over when the context ended
	Left          int // not begun
}

// Run carries a plan out. A context that ends is no error: the result says what
// is left.
func Run(ctx context.Context, api API, plan []balance.Move, o Options) (Result, error) {
	r := &run{api: api, o: o, left: plan, total: len(plan), on: map[Name]balance.Move{}}
	for len(r.left)+len(r.on) > 0 && ctx.Err() == nil {
		if err := r.begin(ctx); err != nil {
			return r.result(), r.unlessOver(ctx, err)
		}
		if err := r.settle(ctx); err != nil {
			return r.result(), r.unlessOver(ctx, err)
		}
		if len(r.on) == 0 {
			continue
		}
		if err := o.Wait(ctx); err != nil {
			return r.result(), r.unlessOver(ctx, err)
		}
	}
	if ctx.Err() != nil || len(r.done) == 0 {
		return r.result(), nil
	}
	if err := api.Elect(ctx, r.done); err != nil {
		return r.result(), r.unlessOver(ctx, fmt.Errorf("give leaders back: %w", err))
	}
	return r.result(), nil
}

type run struct {
	api     API
	o       Options
	left    []balance.Move
	on      map[Name]balance.Move // under way
	order   []Name                // of on, as they began
	done    []Name
	refused int
	total   int
}

func (r *run) unlessOver(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func (r *run) result() Result {
	return Result{Done: len(r.done), Refused: r.refused, UnderWay: len(r.on), Left: len(r.left)}
}

// begin begins as many moves as may be on their way.
func (r *run) begin(ctx context.Context) error {
	n := min(len(r.left), max(r.o.AtOnce, 1)-len(r.on))
	if n <= 0 {
		return nil
	}
	batch := r.left[:n]
	errs, err := r.api.Assign(ctx, batch)
	if err != nil {
		return fmt.Errorf("begin to move partitions: %w", err)
	}
	r.left = r.left[n:]
	for i, m := range batch {
		if errs[i] != nil {
			r.refused++
			r.tell(m, errs[i])
			continue
		}
		name := Name{m.Topic, m.Index}
		r.on[name] = m
		r.order = append(r.order, name)
	}
	return nil
}

// settle notes which moves are over.
func (r *run) settle(ctx context.Context) error {
	if len(r.on) == 0 {
		return nil
	}
	moving, err := r.api.UnderWay(ctx)
	if err != nil {
		return fmt.Errorf("ask what is being moved: %w", err)
	}
	var still []Name
	for _, name := range r.order {
		if moving[name] {
			still = append(still, name)
			continue
		}
		m := r.on[name]
		delete(r.on, name)
		r.done = append(r.done, name)
		r.tell(m, nil)
	}
	r.order = still
	return nil
}

func (r *run) tell(m balance.Move, err error) {
	r.o.Tell(Event{Move: m, Err: err, Nth: len(r.done) + r.refused, Total: r.total})
}
