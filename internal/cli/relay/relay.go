package relay

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	// Most is how many rows a transaction takes.
	Most = 500
	// readWithin and doneWithin bound what the table may take to give rows, and to delete
	// or mark them: a database that is away without a word is given up.
	readWithin, doneWithin = 5 * time.Minute, time.Minute
	// grace is what is under way may take when the relay is told to stop.
	grace = 10 * time.Second
	// Between attempts to go on after an error.
	firstPause, lastPause = time.Second, 30 * time.Second
)

// Table has the rows.
type Table interface {
	// Identity is which table it is: the same wherever it is opened from.
	Identity() string
	// Read gives the first rows that are not done, in their order.
	Read(ctx context.Context, most int) ([]Row, error)
	// Find gives those of these rows that are there and not done, in any order.
	Find(ctx context.Context, ids []any) ([]Row, error)
	// Done deletes or marks rows, in one transaction; that some are no longer there is
	// no error.
	Done(ctx context.Context, ids []any) error
}

// Log is where rows go, for one session: an error ends it.
type Log interface {
	// Last is the rows that the last transaction of this relay wrote, by whichever process.
	Last() []Written
	// Write writes rows and their ids in one transaction, and tells how many: all before
	// the first that cannot be a record; a RowError says that this is the very first.
	// After another error it is not known whether they are written.
	Write(ctx context.Context, rows []Row) (int, error)
	Close()
}

// ErrTakenOver says that another relay of the same name runs. To whom that happens it
// looks the same as when a broker ends a transaction that takes too long.
var ErrTakenOver = errors.New("another relay of this name has taken over, or a transaction took longer than a minute")

// ErrReplaced says that the table is no longer the one that was opened.
var ErrReplaced = errors.New("the database was replaced by another while it was read")

// ErrOtherRow is of a row that is not the one of its id that was written last. To delete
// it would lose it, and to write it twice would be wrong if it is the same after all.
var ErrOtherRow = errors.New("the row of this id that was written last had other contents")

var errStays = errors.New("it is still there after it was deleted or marked: does a policy or a trigger of the table prevent that, or is another server read than the one that deletes?")

// Relay takes rows into a log.
type Relay struct {
	Table Table
	// Open fences all others of the name and finds what was written last.
	Open func(context.Context) (Log, error)
	Poll time.Duration // between looks at a table that had nothing
	Once bool          // end when no row is left
	Note func(error)   // is told of errors after which it goes on

	rows   int  // written by this run
	lately seen // of these
}

// Rows is how many rows this run has written, when Run has ended.
func (r *Relay) Rows() int { return r.rows }

// Run goes on until the context ends, which is no error, or nothing can be done: the
// first session cannot begin, a row cannot be written, another has taken over. With
// Once an error ends it too.
func (r *Relay) Run(ctx context.Context) error {
	pause, begun := firstPause, false
	for ctx.Err() == nil {
		before := r.rows
		started, err := r.session(ctx)
		begun = begun || started
		var row *RowError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &row), errors.Is(err, ErrTakenOver), errors.Is(err, ErrReplaced):
			return err
		case ctx.Err() != nil: // whatever that broke: the next start mends it
			return nil
		case !begun, r.Once:
			return err
		}
		r.Note(err)
		if r.rows > before {
			pause = firstPause
		}
		wait(ctx, pause)
		pause = min(2*pause, lastPause)
	}
	return nil
}

// session is one log from its opening to the first error. begun tells whether the log
// was opened.
func (r *Relay) session(ctx context.Context) (begun bool, err error) {
	log, err := r.Open(ctx)
	if err != nil {
		return false, err
	}
	defer log.Close()
	r.lately.add(log.Last())
	if err := r.mend(ctx, log.Last()); err != nil {
		return true, err
	}
	for ctx.Err() == nil {
		rows, err := r.read(ctx)
		if err != nil {
			return true, err
		}
		if len(rows) == 0 {
			if r.Once {
				return true, nil
			}
			wait(ctx, r.Poll)
			continue
		}
		if err := r.turn(ctx, log, rows); err != nil {
			return true, err
		}
	}
	return true, nil
}

// mend has rows done that were written last, where that was cut off.
func (r *Relay) mend(ctx context.Context, last []Written) error {
	if len(last) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	ids := make([]any, len(last))
	for i := range last {
		ids[i] = last[i].ID
	}
	left, err := r.Table.Find(ctx, ids)
	if err != nil {
		return err
	}
	sums := sumsOf(last)
	ids = ids[:0]
	for i := range left {
		if sums[left[i].ID] != left[i].sum() {
			return &RowError{left[i].ID, ErrOtherRow}
		}
		ids = append(ids, left[i].ID)
	}
	return r.done(ctx, ids)
}

func (r *Relay) read(ctx context.Context) ([]Row, error) {
	ctx, cancel := context.WithTimeout(ctx, readWithin)
	defer cancel()
	return r.Table.Read(ctx, Most)
}

// turn writes rows and has them done.
func (r *Relay) turn(ctx context.Context, log Log, rows []Row) error {
	now := make([]Written, len(rows))
	ids := make([]any, len(rows))
	for i := range rows {
		ids[i], now[i] = rows[i].ID, Written{rows[i].ID, rows[i].sum()}
		switch sum, was := r.lately.sum(ids[i]); {
		case was && sum == now[i].Sum: // to write it again would be twice
			return &RowError{ids[i], errStays}
		case was:
			return &RowError{ids[i], ErrOtherRow}
		}
	}
	ctx, cancel := graceful(ctx)
	defer cancel()
	n, err := log.Write(ctx, rows)
	if err != nil {
		return err
	}
	r.rows += n
	r.lately.add(now[:n])
	return r.done(ctx, ids[:n])
}

func (r *Relay) done(ctx context.Context, ids []any) error {
	if len(ids) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, doneWithin)
	defer cancel()
	if err := r.Table.Done(ctx, ids); err != nil {
		return fmt.Errorf("rows are written and cannot be deleted or marked, which is tried again: %w", err)
	}
	return nil
}

// graceful outlives a context by a moment, in which a turn is finished: who is told to
// stop leaves no transaction open, if that can be.
func graceful(ctx context.Context) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return longer, func() { stop(); cancel() }
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
