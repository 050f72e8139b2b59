package main

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"

	_ "ottla/internal/cli/relay/table/sqlite" // the driver "sqlite"
)

// database is where writers write.
type database interface {
	url() string
	// connect is one connection's pool.
	connect() (*sql.DB, error)
	// place is how a statement's argument is called.
	place(n int) string
	mortal() bool
	// kill ends the server as a crash does, and starts it again.
	kill(ctx context.Context) error
	close() error
}

func openDatabase(ctx context.Context, kind, dir string) (database, error) {
	var d database
	var id string
	switch kind {
	case "sqlite":
		d, id = &sqlite{filepath.Join(dir, "app.db")}, "INTEGER PRIMARY KEY AUTOINCREMENT"
	case "postgres":
		server, err := startPostgres(ctx, dir)
		if err != nil {
			return nil, err
		}
		d, id = server, "bigserial PRIMARY KEY"
	default:
		return nil, fmt.Errorf("-on %s: want sqlite or postgres", kind)
	}
	db, err := d.connect()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	for _, s := range []string{
		"CREATE TABLE changes (writer INTEGER, n INTEGER, PRIMARY KEY (writer, n))",
		"CREATE TABLE outbox (id " + id + ", aggregatetype TEXT NOT NULL, aggregateid TEXT NOT NULL, type TEXT NOT NULL, payload TEXT)",
	} {
		if _, err := db.ExecContext(ctx, s); err != nil {
			return nil, fmt.Errorf("%s: %w", s, err)
		}
	}
	return d, nil
}

type sqlite struct{ path string }

func (s *sqlite) url() string        { return "sqlite:" + s.path }
func (s *sqlite) place(n int) string { return fmt.Sprintf("?%d", n) }
func (s *sqlite) connect() (*sql.DB, error) {
	return sql.Open("sqlite", "file:"+s.path+"?_txlock=immediate&_pragma=busy_timeout(60000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
}
func (s *sqlite) mortal() bool               { return false }
func (s *sqlite) kill(context.Context) error { return nil }
func (s *sqlite) close() error               { return nil }
