//go:build !race

// Without the race detector: its compilation of SQLite takes long, and what goroutines do
// is looked at in package relay.

package cli

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla/internal/cli/fail"
	_ "ottla/internal/cli/relay/table/sqlite"
)

// The page is followed here, since it needs SQLite.
func TestThePageOfOutboxTablesSaysWhatHappens(t *testing.T) {
	followPage(t, "events/outbox.md")
}

// sqliteRun runs statements, and gives the rows as sqlite3 prints them.
func sqliteRun(t *testing.T, file, statements string) string {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), statements)
	if err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			if i > 0 {
				out.WriteByte('|')
			}
			out.WriteString(v.String)
		}
		out.WriteByte('\n')
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	return out.String()
}

const outboxTable = "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, aggregatetype TEXT, aggregateid TEXT, type TEXT, payload TEXT, sent TEXT)"

func TestAnOutboxRunsUntilItIsStopped(t *testing.T) {
	n := node(t)
	file := filepath.Join(t.TempDir(), "shop.db")
	sqliteRun(t, file, outboxTable)
	call(t, n, "", "topic", "create", "orders").mustHold(t, 0)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var out, errOut bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- Run(ctx, []string{"outbox", "run", "sqlite:" + file, "--to", "topic:orders", "--mark", "sent", "--poll", "5ms", "-b", n.Addr()}, strings.NewReader(""), &out, &errOut)
	}()
	for i := range 3 { // one after the other, so that it comes back to the table
		sqliteRun(t, file, fmt.Sprintf("PRAGMA busy_timeout = 60000; INSERT INTO outbox (aggregatetype, aggregateid, type, payload) VALUES ('order', 'k', 'T', 'row %d')", i))
		call(t, n, "", "consume", "orders", "--from", "start", "-n", fmt.Sprint(i+1), "-f", `%v\n`).mustHold(t, 0, fmt.Sprintf("row %d\n", i))
	}
	cancel()
	if got := <-code; got != 0 {
		t.Errorf("exit code %d: %s", got, errOut.String())
	}
	if !strings.Contains(out.String(), "shop.outbox") || !strings.Contains(errOut.String(), "go to topic orders") {
		t.Errorf("it says %s%s", out.String(), errOut.String())
	}
	if left := sqliteRun(t, file, "SELECT count(*), count(sent) FROM outbox"); left != "3|3\n" {
		t.Errorf("rows, and rows that are marked: %s", left)
	}
}

func TestOutboxesThatCannotRun(t *testing.T) {
	n := node(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "a.db")
	sqliteRun(t, file, outboxTable)
	sqliteRun(t, file, "CREATE TABLE again (id INTEGER PRIMARY KEY, aggregatetype, aggregateid, type, payload)")
	sqliteRun(t, file, "CREATE TABLE twice (id TEXT, aggregatetype, aggregateid, type, payload)")
	call(t, n, "", "topic", "create", "orders").mustHold(t, 0)
	run := func(args ...string) result {
		t.Helper()
		return call(t, n, "", append([]string{"outbox", "run", "--once"}, args...)...)
	}
	db, to := "sqlite:"+file, "--to=topic:orders"
	run(db).mustHold(t, fail.Usage, "want bus:NAME or topic:NAME")
	run(db, to, "--delete", "--mark", "sent").mustHold(t, fail.Usage, "either deleted or marked")
	run(db, to, "--column", "Payload=x").mustHold(t, fail.Usage, "WHAT=COLUMN")
	run(db, to, "--name", "a b").mustHold(t, fail.Usage, "--name a b")
	if r := run("postgres://app:secret@127.0.0.1:1", to); strings.Contains(r.out+r.err, "secret") {
		t.Errorf("a password is told: %s", r.err)
	} else {
		r.mustHold(t, fail.Usage, "--name")
	}
	if r := run("postgres://app:secret@127.0.0.1:1/shop", to); strings.Contains(r.out+r.err, "secret") {
		t.Errorf("a password is told: %s", r.err)
	} else {
		r.mustHold(t, fail.Failed, "cannot run outbox shop.outbox", "127.0.0.1:1")
	}
	for _, args := range [][]string{{"host=db user=app password=secret", to}, {"host=db user=app password=secret", to, "--name", "shop"}} {
		if r := run(args...); strings.Contains(r.out+r.err, "secret") {
			t.Errorf("a password is told: %s", r.err)
		} else {
			r.mustHold(t, fail.Failed, "no database that is known", "postgres://")
		}
	}
	run("mysql://x/y", to).mustHold(t, fail.Failed, "no database that is known")
	run("sqlite:"+filepath.Join(dir, "none.db"), to).mustHold(t, fail.Failed, "none.db")
	run(db, to, "--table", "none").mustHold(t, fail.Failed, "there is no table none")
	run(db, to, "--column", "payload=body").mustHold(t, fail.Failed, `no column "body"`, "aggregatetype", "--column payload=COLUMN")
	run(db, to, "--mark", "done").mustHold(t, fail.Failed, `no column "done"`)
	run(db, to, "--table", "again").mustHold(t, fail.Failed, "AUTOINCREMENT")
	run(db, to, "--table", "twice").mustHold(t, fail.Failed, "no unique index")
	run(db, "--to=topic:none").mustHold(t, fail.NotFound, "there is no topic none", "ottla topic create none")
	run(db, to).mustHold(t, 0, "a.outbox", "orders")
	// A table that is made anew after a run that was cut off.
	sqliteRun(t, file, "INSERT INTO outbox (aggregatetype, type) VALUES ('a', 'T')")
	sqliteRun(t, file, "CREATE TRIGGER keep BEFORE DELETE ON outbox BEGIN SELECT RAISE(IGNORE); END")
	run(db, to).mustHold(t, fail.Failed, "beyond row 1", "it is still there", "change the row or delete it")
	sqliteRun(t, file, "DROP TABLE outbox")
	sqliteRun(t, file, outboxTable)
	sqliteRun(t, file, "INSERT INTO outbox (aggregatetype, type) VALUES ('b', 'T')")
	run(db, to).mustHold(t, fail.Failed, "cannot run outbox a.outbox", "row 1: the row of this id that was written last had other contents", "another --name")
	run(db, to, "--name", "again").mustHold(t, 0, "again", "orders", "1")
}

// What create makes, put and run take.
func TestTablesThatAreMade(t *testing.T) {
	n := node(t)
	file := filepath.Join(t.TempDir(), "made.db")
	db := "sqlite:" + file
	call(t, n, "", "topic", "create", "orders").mustHold(t, 0)
	columns := []string{"--table", `ev"ents`, "--column", "id=key", "--column", "time=at", "--column", "traceparent=trace", "--column", "payload=a body"}
	with := func(words ...string) []string { return append(words, columns...) }
	call(t, n, "", with("outbox", "create", db, "--mark", "sent", "--dry-run")...).mustHold(t, 0, `CREATE TABLE "ev""ents" (`, `"sent" TEXT`, "CREATE INDEX")
	call(t, n, "", with("outbox", "put", db, "T")...).mustHold(t, fail.Failed, "made.db") // nothing was made
	call(t, n, "", with("outbox", "create", db, "--mark", "sent")...).mustHold(t, 0, `CREATE TABLE "ev""ents" (`)
	call(t, n, "", with("outbox", "create", db)...).mustHold(t, fail.Failed, "already exists")
	call(t, n, "", with("outbox", "put", db, "Placed", `{"a":1}`, "--source", "order", "--subject", "7")...).mustHold(t, 0, `ev"ents  1`)
	call(t, n, "", with("outbox", "put", db, "Gone")...).mustHold(t, 0, `ev"ents  2`)
	run := with("outbox", "run", db, "--once", "--to=topic:orders", "--mark", "sent")
	call(t, n, "", run...).mustHold(t, 0, "made.ev-ents", "2")
	call(t, n, "", run...).mustHold(t, 0, "made.ev-ents", "0")
	call(t, n, "", "consume", "orders", "-n", "2", "-f", `%k %v\n`).mustHold(t, 0, "7 {\"a\":1}\n", " \n")
	call(t, n, "", "outbox", "create", "mysql://x/y").mustHold(t, fail.Failed, "no database that is known")
	call(t, n, "", "outbox", "create", "postgres://app:secret@127.0.0.1:1/shop", "--dry-run").mustHold(t, 0, "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
}
