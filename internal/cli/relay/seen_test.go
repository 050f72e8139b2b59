package relay_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"ottla/internal/cli/relay"
)

// late is a table whose reads are answered by a server that has the deletions of some
// turns later than the one that deletes: what was read first is given once more.
type late struct {
	memory
	first []relay.Row
	turns int
}

func (l *late) Read(ctx context.Context, most int) ([]relay.Row, error) {
	rows, err := l.memory.Read(ctx, most)
	if l.turns++; l.turns == 1 {
		l.first = rows
	}
	if l.turns == 4 {
		return l.first, nil
	}
	return rows, err
}

// paper is a log that takes all.
type paper struct {
	rows   []relay.Row
	broken int // the write that is an error
}

func (p *paper) Last() []relay.Written { return nil }
func (p *paper) Close()                {}
func (p *paper) Write(_ context.Context, rows []relay.Row) (int, error) {
	if p.broken--; p.broken == 0 {
		return 0, errors.New("it is away")
	}
	p.rows = append(p.rows, rows...)
	return len(rows), nil
}

// It does not matter how many turns and sessions ago a row was written.
func TestARowThatIsReadAgainLateIsNotWrittenAgain(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	for _, c := range []struct{ broken, written int }{{0, 21}, {2, 14}} {
		l, p := &late{}, &paper{broken: c.broken}
		l.insert(numbers(1, 40)...)
		run := &relay.Relay{Table: l, Poll: time.Millisecond, Note: func(error) {}, Open: func(context.Context) (relay.Log, error) { return p, nil }}
		var row *relay.RowError
		if err := run.Run(ctx); !errors.As(err, &row) || row.ID != int64(1) || !strings.Contains(err.Error(), "still there") {
			t.Errorf("it ends with %v", err)
		}
		if len(p.rows) != c.written {
			t.Errorf("%d rows are written, want %d", len(p.rows), c.written)
		}
	}
}
