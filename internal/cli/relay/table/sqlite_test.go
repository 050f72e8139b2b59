//go:build !race

// Without the race detector: there is one goroutine, and its compilation of SQLite takes
// long.

package table_test

import (
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ottla/internal/cli/relay"
	"ottla/internal/cli/relay/table"
	_ "ottla/internal/cli/relay/table/sqlite"
	"ottla/internal/event/envelope"
)

// base makes a database, and a function that opens a table of it.
func base(t *testing.T, statements ...string) (*sql.DB, func(table.Spec) (*table.Table, error)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a b%20#.db") // what a URL would take for something else
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return db, func(s table.Spec) (*table.Table, error) {
		s.URL = "sqlite:" + path
		o, err := table.Open(t.Context(), s)
		if err == nil {
			t.Cleanup(func() { _ = o.Close() })
		}
		return o, err
	}
}

func ids(t *testing.T, o *table.Table, most int) (out []any) {
	t.Helper()
	rows, err := o.Read(t.Context(), most)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		out = append(out, r.ID)
	}
	return out
}

func TestTextIDsComeByInsertionAndGoByID(t *testing.T) {
	_, open := base(t, `CREATE TABLE "out""box" (id TEXT PRIMARY KEY, aggregatetype, aggregateid, type, payload, seq, "a mark")`,
		`INSERT INTO "out""box" VALUES ('7', 'a', 1, 't', 1, 3, NULL), ('b', 'a', 1, 't', 1.5, 2, NULL), ('a', 'a', 1, 't', NULL, 1, 'set')`)
	o, err := open(table.Spec{Table: `out"box`})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, o, 9); !slices.Equal(got, []any{"7", "b", "a"}) {
		t.Errorf("got %v", got)
	}
	ordered, err := open(table.Spec{Table: `out"box`, Order: "seq", Mark: "a mark"})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, ordered, 9); !slices.Equal(got, []any{"b", "7"}) {
		t.Errorf("by seq, what is not marked: %v", got)
	}
	if err := ordered.Done(t.Context(), []any{"b", "none"}); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, ordered, 9); !slices.Equal(got, []any{"7"}) {
		t.Errorf("when b is marked: %v", got)
	}
	if err := o.Done(t.Context(), []any{"7", "b"}); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, o, 1); !slices.Equal(got, []any{"a"}) {
		t.Errorf("when two are deleted: %v", got)
	}
}

func TestWhatARowIs(t *testing.T) {
	_, open := base(t, `CREATE TABLE events (n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, who INTEGER, what TEXT, body BLOB, at TIMESTAMP, trace TEXT, big REAL)`,
		`INSERT INTO events VALUES (9007199254740993, 'order', 4, 'Placed', x'00ff', '2026-11-26 16:00:00.5', 'x', 2.5), (9007199254740994, 'order', NULL, 'Placed', NULL, NULL, NULL, NULL)`)
	o, err := open(table.Spec{Table: "events", Columns: map[string]string{
		"id": "n", "aggregatetype": "kind", "aggregateid": "who", "type": "what", "payload": "body", "time": "at", "traceparent": "trace", "big": "big",
	}})
	if err != nil {
		t.Fatal(err)
	}
	rows, err := o.Read(t.Context(), 9)
	if err != nil || len(rows) != 2 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	r := rows[0]
	if r.ID != int64(9007199254740993) || r.AggregateType != "order" || r.AggregateID != "4" || r.Type != "Placed" || string(r.Payload) != "\x00\xff" || r.Time != "2026-11-26T16:00:00.5Z" ||
		!reflect.DeepEqual(r.Extensions, []envelope.Extension{{Name: "big", Value: "2.5"}, {Name: "traceparent", Value: "x"}}) {
		t.Errorf("got %+v", r)
	}
	if r := rows[1]; r.AggregateID != "" || r.Payload != nil || r.Time != "" || r.Extensions != nil {
		t.Errorf("with NULLs %+v", r)
	}
	if err := o.Done(t.Context(), []any{int64(9007199254740993)}); err != nil {
		t.Fatal(err)
	}
	if got := ids(t, o, 9); !slices.Equal(got, []any{int64(9007199254740994)}) {
		t.Errorf("left are %v", got)
	}
}

func TestRowsThatAreNotUnderstood(t *testing.T) {
	const columns = "aggregatetype, aggregateid, type, payload, at"
	for _, c := range []struct{ row, says string }{
		{"x'01', 'a', 'b', 'c', 'd', NULL", "an id is a whole number or a text"},
		{"NULL, 'a', 'b', 'c', 'd', NULL", "NULL"},
		{"hex(zeroblob(600)), 'a', 'b', 'c', 'd', NULL", "an id has up to 1024"},
		{"'i', 'a', 'b', 'c', 'd', 'yesterday'", `"yesterday" is no time`},
	} {
		db, open := base(t, "CREATE TABLE outbox (id UNIQUE, "+columns+")", "INSERT INTO outbox VALUES ('good', 'a', 'b', 'c', 'd', '2026-11-26T16:00:00+01:00'), ("+c.row+"), ('behind', 'a', 'b', 'c', 'd', NULL)")
		o, err := open(table.Spec{Table: "outbox", Columns: map[string]string{"time": "at"}})
		if err != nil {
			t.Fatal(err)
		}
		if got := ids(t, o, 9); !slices.Equal(got, []any{"good"}) {
			t.Errorf("%s: before it come %v", c.row, got)
		}
		if _, err := db.ExecContext(t.Context(), "DELETE FROM outbox WHERE id = 'good'"); err != nil {
			t.Fatal(err)
		}
		if _, err := o.Read(t.Context(), 9); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want %q", c.row, err, c.says)
		}
	}
}

func TestTablesThatAreRefused(t *testing.T) {
	const columns = "aggregatetype, aggregateid, type, payload"
	for _, c := range []struct{ ddl, says string }{
		{"(id INTEGER PRIMARY KEY, " + columns + ")", "AUTOINCREMENT"},
		{"(id INTEGER PRIMARY KEY /* not AUTOINCREMENT */, " + columns + ")", "AUTOINCREMENT"},
		{"(id INTEGER PRIMARY KEY, -- it isn't AUTOINCREMENT\n" + columns + ")", "AUTOINCREMENT"},
		{"(id INTEGER PRIMARY KEY, " + columns + ", \"AUTOINCREMENT\" TEXT DEFAULT 'WITHOUT ROWID')", "AUTOINCREMENT"},
		{"(id TEXT, " + columns + ")", "no unique index"},
		{"(id TEXT, " + columns + ", PRIMARY KEY (id, type))", "no unique index"},
		{"(id TEXT, " + columns + ", UNIQUE (id, type))", "no unique index"},
		{"(key TEXT PRIMARY KEY, " + columns + ")", `no column "id"`},
		{"(id INTEGER PRIMARY KEY AUTOINCREMENT, " + columns + ")", ""},
		{"(id TEXT PRIMARY KEY, " + columns + ") WITHOUT ROWID", ""},
		{"(id INTEGER PRIMARY KEY, " + columns + ") WITHOUT\n  ROWID", ""},
		{"(id INTEGER PRIMARY KEY /* it's */ AUTOINCREMENT, " + columns + ", \"it's\" TEXT)", ""},
		{"(id INTEGER UNIQUE, " + columns + ")", ""},
	} {
		_, open := base(t, "CREATE TABLE outbox "+c.ddl)
		o, err := open(table.Spec{Table: "outbox"})
		switch {
		case c.says == "" && err == nil:
			if got := ids(t, o, 1); got != nil {
				t.Errorf("%s: got %v", c.ddl, got)
			}
		case c.says == "":
			t.Errorf("%s: %v", c.ddl, err)
		case err == nil || !strings.Contains(err.Error(), c.says):
			t.Errorf("%s: got %v, want %q", c.ddl, err, c.says)
		}
	}
	_, open := base(t, "CREATE TABLE other (id)")
	if _, err := open(table.Spec{Table: "outbox"}); err == nil || !strings.Contains(err.Error(), "no table outbox") {
		t.Errorf("got %v", err)
	}
}

// A column may take for the same what its unique index does not.
func TestIDsAreTheSameAsTheirIndexSays(t *testing.T) {
	const columns = "aggregatetype DEFAULT '', aggregateid DEFAULT '', type DEFAULT 't', payload)"
	_, open := base(t, "CREATE TABLE outbox (id TEXT COLLATE NOCASE, "+columns, "CREATE UNIQUE INDEX by_id ON outbox (id COLLATE BINARY)",
		"INSERT INTO outbox (id) VALUES ('a'), ('A'), ('b')",
		"CREATE TABLE once (id TEXT COLLATE NOCASE PRIMARY KEY, "+columns, "INSERT INTO once (id) VALUES ('a'), ('b')")
	for name, want := range map[string][]any{"outbox": {"A", "b"}, "once": {"b"}} {
		o, err := open(table.Spec{Table: name})
		if err != nil {
			t.Fatal(err)
		}
		if err := o.Done(t.Context(), []any{"a"}); err != nil {
			t.Fatal(err)
		}
		if got := ids(t, o, 9); !slices.Equal(got, want) {
			t.Errorf("in %s are left %v, want %v", name, got, want)
		}
	}
}

func TestLargePayloadsAreReadInParts(t *testing.T) {
	_, open := base(t, "CREATE TABLE outbox (id TEXT PRIMARY KEY, aggregatetype, aggregateid, type, payload)",
		"INSERT INTO outbox VALUES ('a', 'x', 'x', 'x', zeroblob(5 << 20)), ('b', 'x', 'x', 'x', zeroblob(5 << 20)), ('c', 'x', 'x', 'x', '')")
	o, err := open(table.Spec{Table: "outbox"})
	if err != nil {
		t.Fatal(err)
	}
	if got := ids(t, o, 9); !slices.Equal(got, []any{"a", "b"}) {
		t.Errorf("got %v", got)
	}
}

// A database sends what it was asked for, also what is left aside.
func TestLargeRowsAreAskedForByFew(t *testing.T) {
	const more = "INSERT INTO outbox SELECT value, 'x', 'x', 'x', '' FROM json_each(?)"
	db, open := base(t, "CREATE TABLE outbox (id TEXT PRIMARY KEY, aggregatetype, aggregateid, type, payload)",
		"INSERT INTO outbox VALUES ('a', 'x', 'x', 'x', zeroblob(5 << 20)), ('b', 'x', 'x', 'x', zeroblob(5 << 20))")
	if _, err := db.ExecContext(t.Context(), more, `["c","d","e","f","g","h","i","j","k"]`); err != nil {
		t.Fatal(err)
	}
	o, err := open(table.Spec{Table: "outbox"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range [][]any{{"a", "b"}, {"c", "d"}, {"e", "f", "g", "h"}, {"i", "j", "k"}} {
		got := ids(t, o, 9)
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
		if err := o.Done(t.Context(), got); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFileThatIsReplacedIsToldOf(t *testing.T) {
	const columns = "aggregatetype, aggregateid, type, payload"
	path := filepath.Join(t.TempDir(), "app.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE outbox (id TEXT PRIMARY KEY, "+columns+")"); err != nil {
		t.Fatal(err)
	}
	o, err := table.Open(t.Context(), table.Spec{URL: "sqlite:" + path, Table: "outbox"})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if got := ids(t, o, 1); got != nil {
		t.Fatalf("got %v", got)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Read(t.Context(), 1); !errors.Is(err, relay.ErrReplaced) {
		t.Errorf("when it is gone: %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := o.Read(t.Context(), 1); !errors.Is(err, relay.ErrReplaced) {
		t.Errorf("when another is there: %v", err)
	}
}
