//go:build !race

// Without the race detector: its compilation of SQLite takes long, and memory_test.go
// has what goroutines do.

package relay_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/relay"
	"ottla/internal/cli/relay/table"
	_ "ottla/internal/cli/relay/table/sqlite"
)

const ddl = `CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, aggregatetype TEXT NOT NULL, aggregateid TEXT NOT NULL, type TEXT NOT NULL, payload, at TEXT)`

func newRig(t *testing.T) *rig {
	t.Helper()
	r := newNode(t)
	r.path = filepath.Join(t.TempDir(), "app.db")
	var err error
	if r.db, err = sql.Open("sqlite", r.path); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.db.Close() })
	r.exec(ddl)
	return r
}

func (r *rig) exec(statement string, args ...any) {
	r.Helper()
	if _, err := r.db.ExecContext(r.ctx, statement, args...); err != nil {
		r.Fatalf("%s: %v", statement, err)
	}
}

// insert inserts rows of these ids.
func (r *rig) insert(ids ...int) {
	r.Helper()
	for _, id := range ids {
		r.exec(`INSERT INTO outbox VALUES (?, 'order', ?, 'OrderPlaced', ?, '2026-11-26 16:00:00')`, id, fmt.Sprintf("c%d", id%5), fmt.Sprintf(`{"n":%d}`, id))
	}
}

func (r *rig) open(s table.Spec) *table.Table {
	r.Helper()
	s.URL, s.Table = "sqlite:"+r.path, "outbox"
	t, err := table.Open(r.ctx, s)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = t.Close() })
	return t
}

func (r *rig) mustHaveLeft(where string, want int) {
	r.Helper()
	var n int
	if err := r.db.QueryRowContext(r.ctx, "SELECT count(*) FROM outbox WHERE "+where).Scan(&n); err != nil || n != want {
		r.Errorf("%d rows with %s, %v; want %d", n, where, err, want)
	}
}

func TestRowsBecomeEventsAndGo(t *testing.T) {
	r := newRig(t)
	r.insert(1, 2)
	r.exec(`INSERT INTO outbox VALUES (3, 'order', '', 'Deleted', NULL, NULL), (4, 'order', 'x', 'Text', 'hello', NULL), (5, 'order', 'x', 'Bytes', x'ff00', NULL)`)
	r.mustOnce(r.open(table.Spec{Columns: map[string]string{"time": "at", "shop": "aggregatetype"}}))
	all := map[string]*kgo.Record{}
	for _, rec := range r.committed() {
		all[header(rec, "ce_id")] = rec
	}
	if len(all) != 5 {
		t.Fatalf("%d events", len(all))
	}
	one := all["1"]
	for name, want := range map[string]string{
		"ce_specversion": "1.0", "ce_source": "order", "ce_type": "OrderPlaced", "ce_subject": "c1", "ce_time": "2026-11-26T16:00:00Z",
		"ce_partitionkey": "c1", "ce_shop": "order", "content-type": "application/json",
	} {
		if got := header(one, name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if string(one.Key) != "c1" || string(one.Value) != `{"n":1}` {
		t.Errorf("key %q, value %q", one.Key, one.Value)
	}
	if three := all["3"]; three.Value != nil || three.Key != nil || header(three, "ce_type") != "Deleted" {
		t.Errorf("the row without payload: key %q, value %q", three.Key, three.Value)
	}
	if text, bytes := header(all["4"], "content-type"), header(all["5"], "content-type"); text != "text/plain" || bytes != "application/octet-stream" || string(all["5"].Value) != "\xff\x00" {
		t.Errorf("content types %s and %s", text, bytes)
	}
	r.mustHaveLeft("true", 0)
}

// A transaction of the database may commit after others that have later ids.
func TestRowsThatCommitLateAreNotSkipped(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(5, 7)
	r.mustOnce(o)
	r.insert(6, 3, 8)
	r.mustOnce(o)
	r.insert(4)
	r.mustOnce(o)
	r.mustHave(3, 4, 5, 6, 7, 8)
}

// dying is a table whose relay dies when rows are to be deleted, before that or after.
type dying struct {
	relay.Table
	after bool
}

var errDied = errors.New("it dies here")

func (d *dying) Done(ctx context.Context, ids []any) error {
	if d.after {
		if err := d.Table.Done(ctx, ids); err != nil {
			return err
		}
	}
	return errDied
}

func TestADeathBetweenTheTransactionAndTheDeletion(t *testing.T) {
	for _, after := range []bool{false, true} {
		for _, mark := range []string{"", "at"} {
			t.Run(fmt.Sprintf("after=%v mark=%s", after, mark), func(t *testing.T) {
				r := newRig(t)
				o := r.open(table.Spec{Mark: mark})
				r.insert(numbers(1, 20)...)
				r.exec("UPDATE outbox SET at = NULL")
				for range 3 { // also when it dies again while it mends that
					if err := r.once(&dying{o, after}); !errors.Is(err, errDied) {
						t.Fatalf("got %v", err)
					}
					if after {
						break
					}
				}
				r.insert(numbers(21, 30)...)
				r.exec("UPDATE outbox SET at = NULL WHERE id > 20")
				r.mustOnce(o)
				r.mustHave(numbers(1, 30)...)
				if r.mustHaveLeft("at IS NULL", 0); mark != "" {
					r.mustHaveLeft("true", 30)
				}
			})
		}
	}
}

// What a relay wrote that was killed before it committed is not there.
func TestADeathInsideTheTransaction(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(numbers(1, 10)...)
	dead, err := r.connect(r.ctx, kgo.TransactionalID(r.outlet(o).TransactionalID()))
	if err != nil {
		t.Fatal(err)
	}
	if err := dead.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := dead.ProduceSync(r.ctx, &kgo.Record{Topic: "out", Value: []byte("of the dead")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	dead.Close()
	r.mustOnce(o)
	r.mustHave(numbers(1, 10)...)
}

// forgetful is a log whose answers are lost.
type forgetful struct{ relay.Log }

func (f *forgetful) Write(ctx context.Context, rows []relay.Row) (int, error) {
	if _, err := f.Log.Write(ctx, rows); err != nil {
		return 0, err
	}
	return 0, context.DeadlineExceeded
}

func TestALostAnswerToTheCommit(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(numbers(1, 10)...)
	sessions := 0
	var noted []error
	ctx, cancel := context.WithCancel(r.ctx)
	defer cancel()
	run := &relay.Relay{Table: o, Poll: time.Millisecond, Note: func(err error) { noted = append(noted, err) }, Open: func(ctx context.Context) (relay.Log, error) {
		sessions++
		l, err := r.outlet(o).Open(ctx)
		if sessions == 1 {
			return &forgetful{l}, err
		}
		if sessions == 2 {
			cancel() // when it has mended what the first left
		}
		return l, err
	}}
	if err := run.Run(ctx); err != nil || sessions != 2 || len(noted) != 1 {
		t.Fatalf("%v after %d sessions, noted %v", err, sessions, noted)
	}
	r.mustOnce(o)
	r.mustHave(numbers(1, 10)...)
	r.mustHaveLeft("true", 0)
}

func TestASecondRelayTakesOver(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(numbers(1, 10)...)
	first, err := r.outlet(o).Open(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	rows, err := o.Read(r.ctx, 10)
	if err != nil {
		t.Fatal(err)
	}
	r.mustOnce(o)
	if _, err := first.Write(r.ctx, rows); !errors.Is(err, relay.ErrTakenOver) {
		t.Errorf("the first writes: %v", err)
	}
	r.insert(11)
	r.mustOnce(o)
	r.mustHave(numbers(1, 11)...)
}

func TestARowThatCannotBeAnEventHoldsUpWhatIsBehindIt(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(1, 2, 3, 4)
	r.exec("UPDATE outbox SET type = '' WHERE id = 3")
	var row *relay.RowError
	if err := r.once(o); !errors.As(err, &row) || row.ID != int64(3) || !strings.Contains(err.Error(), "no type") {
		t.Fatalf("got %v", err)
	}
	r.mustHave(1, 2)
	r.mustHaveLeft("true", 2)
	r.exec("UPDATE outbox SET type = 'T', payload = zeroblob(2000000) WHERE id = 3")
	if err := r.once(o); !errors.As(err, &row) || row.ID != int64(3) || !errors.Is(err, kerr.MessageTooLarge) {
		t.Fatalf("got %v", err)
	}
	r.exec("DELETE FROM outbox WHERE id = 3")
	r.mustOnce(o)
	r.mustHave(1, 2, 4)
}

// What is before a row that is refused goes without it, also when both were read at once.
func TestARowThatIsTooLargeAmongOthers(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(numbers(1, 9)...)
	r.exec("UPDATE outbox SET payload = zeroblob(2000000) WHERE id IN (4, 7)")
	for _, c := range []struct{ large, left int }{{4, 6}, {7, 3}} {
		var row *relay.RowError
		if err := r.once(o); !errors.As(err, &row) || row.ID != int64(c.large) || !errors.Is(err, kerr.MessageTooLarge) {
			t.Fatalf("got %v", err)
		}
		r.mustHaveLeft("true", c.left)
		r.exec("DELETE FROM outbox WHERE id = ?", c.large)
	}
	r.mustOnce(o)
	r.mustHave(1, 2, 3, 5, 6, 8, 9)
}

// A batch is refused whole when the topic has come to take less than the relay knows.
func TestATopicThatComesToTakeLess(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	log, err := r.outlet(o).Open(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	less := "20000"
	if _, err := kadm.NewClient(r.client()).AlterTopicConfigs(r.ctx, []kadm.AlterConfig{{Name: "max.message.bytes", Value: &less}}, "out"); err != nil {
		t.Fatal(err)
	}
	r.insert(numbers(1, 20)...)
	r.exec("UPDATE outbox SET aggregateid = 'one', payload = hex(randomblob(3000))")
	r.exec("UPDATE outbox SET payload = hex(randomblob(30000)) WHERE id = 11")
	var row *relay.RowError
	run := &relay.Relay{Table: o, Open: func(context.Context) (relay.Log, error) { return log, nil }, Once: true}
	if err := run.Run(r.ctx); !errors.As(err, &row) || row.ID != int64(11) || !errors.Is(err, kerr.MessageTooLarge) {
		t.Fatalf("got %v", err)
	}
	r.mustHave(numbers(1, 10)...)
	r.mustHaveLeft("true", 10)
}

// A table that is made anew begins its ids anew; what was written last are other rows.
func TestIDsThatAreUsedAgain(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(1, 2, 3)
	if err := r.once(&dying{Table: o}); !errors.Is(err, errDied) {
		t.Fatalf("got %v", err)
	}
	r.exec("DELETE FROM outbox WHERE id > 1")
	r.exec("INSERT INTO outbox VALUES (2, 'order', 'c2', 'OrderPlaced', 'of a new table', NULL)")
	var row *relay.RowError
	if err := r.once(o); !errors.As(err, &row) || row.ID != int64(2) || !errors.Is(err, relay.ErrOtherRow) {
		t.Fatalf("got %v", err)
	}
	r.mustHave(1, 2, 3)
	r.mustHaveLeft("true", 2)
	r.exec("DELETE FROM outbox WHERE id = 2")
	r.mustOnce(o)
	r.mustHave(1, 2, 3)
	r.mustHaveLeft("true", 0)
}

func TestManyRowsAndLargeOnes(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
		INSERT INTO outbox SELECT i, 'order', 'c' || (i % 5), 'T', CASE WHEN i <= 30 THEN randomblob(500000) ELSE '{}' END, NULL FROM n`)
	r.mustOnce(o)
	r.mustHave(numbers(1, 1200)...)
	at := map[string]int{}
	for _, rec := range r.committed() { // by partition in order, and a key is in one
		var id int
		if _, err := fmt.Sscan(header(rec, "ce_id"), &id); err != nil || id < at[string(rec.Key)] {
			t.Fatalf("row %d comes behind %d, %v", id, at[string(rec.Key)], err)
		}
		at[string(rec.Key)] = id
	}
}

// The ids of one table would be those of other rows in another.
func TestAnotherTableOfTheSameNameIsRefused(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(1, 2)
	if err := r.once(&dying{Table: o}); !errors.Is(err, errDied) {
		t.Fatalf("got %v", err)
	}
	out := r.outlet(o)
	out.Table = "sqlite:/elsewhere outbox"
	if _, err := out.Open(r.ctx); err == nil || !strings.Contains(err.Error(), "--moved") {
		t.Errorf("got %v", err)
	}
	out.Moved = true
	l, err := out.Open(r.ctx)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if got := l.Last(); len(got) != 2 || got[0].ID != int64(1) || got[1].ID != int64(2) {
		t.Errorf("last is %v", got)
	}
}

// Starts that write nothing leave what was written last far behind.
func TestWhatWasWrittenLastIsFoundFarBehind(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(1)
	if err := r.once(&dying{Table: o}); !errors.Is(err, errDied) {
		t.Fatalf("got %v", err)
	}
	for range 40 {
		l, err := r.outlet(o).Open(r.ctx)
		if err != nil {
			t.Fatal(err)
		}
		l.Close()
		if got := l.Last(); len(got) != 1 || got[0].ID != int64(1) {
			t.Fatalf("last is %v", got)
		}
	}
	r.mustOnce(o)
	r.mustHave(1)
}

func TestATableThatKeepsWhatIsDeletedIsToldOf(t *testing.T) {
	r := newRig(t)
	o := r.open(table.Spec{})
	r.insert(1)
	r.exec("CREATE TRIGGER keep BEFORE DELETE ON outbox BEGIN SELECT RAISE(IGNORE); END")
	for range 2 {
		if err := r.once(o); err == nil || !strings.Contains(err.Error(), "row 1: it is still there") {
			t.Fatalf("got %v", err)
		}
	}
	r.mustHave(1)
}
