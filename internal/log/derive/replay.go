package derive

import (
	"errors"
	"io"
	"math"

	"ottla/internal/log/walk"
	"ottla/internal/producer"
	"ottla/internal/record"
)

// Replay brings a producer state through the batches in the first to bytes of a
// segment and tells fn each transaction that was aborted there. Rot is stepped
// over. It fails only where the disk does.
func Replay(state *producer.State, src io.ReaderAt, base, to int64, fn func(producer.Aborted)) error {
	r := walk.Get(src, 0, to)
	defer r.Put()
	var head record.Header
	for {
		err := r.Header(&head)
		if err == io.EOF {
			return nil
		}
		if bad := (*walk.Bad)(nil); errors.As(err, &bad) {
			ok, rerr := r.Resync(&head, base, math.MaxInt64)
			if rerr != nil || !ok {
				return rerr
			}
		} else if err != nil {
			return err
		}
		if err := apply(state, r, &head, fn); err != nil {
			return err
		}
		r.Skip(&head)
	}
}

// apply takes one batch into the state.
func apply(state *producer.State, r *walk.Reader, h *record.Header, fn func(producer.Aborted)) error {
	if h.ProducerID < 0 {
		return nil
	}
	var b []byte
	if h.Control() {
		var err error
		if b, err = r.Batch(h); err != nil {
			return err
		}
	}
	if a, ok, err := state.Apply(h, b); err == nil && ok {
		fn(a)
	}
	return nil
}

// Sound is Replay to the reader's end where every batch must be well, as an Order
// that begins there says; the error of the first that is not is a *walk.Bad, and the
// reader stands at it.
func Sound(state *producer.State, r *walk.Reader, c *walk.Order) error {
	var head record.Header
	for {
		err := c.Check(r, &head)
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = apply(state, r, &head, func(producer.Aborted) {})
		}
		if err != nil {
			return err
		}
		r.Skip(&head)
	}
}
