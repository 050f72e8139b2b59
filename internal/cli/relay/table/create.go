package table

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"ottla/internal/cli/relay"
)

// Statements are those that make a table which Open takes.
func Statements(s Spec) ([]string, error) {
	kind, _, err := s.database()
	if err != nil {
		return nil, err
	}
	types := map[string]string{"id": "INTEGER PRIMARY KEY AUTOINCREMENT", fieldTime: "TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))", "mark": "TEXT"}
	if kind == isPostgres {
		types = map[string]string{"id": "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY", fieldTime: "timestamptz NOT NULL DEFAULT now()", "mark": "timestamptz"}
	}
	p := s.plan()
	var lines []string
	for i, name := range p.names {
		t := types[name]
		switch {
		case t != "":
		case name == "aggregatetype", name == "aggregateid", name == "type":
			t = "TEXT NOT NULL"
		default:
			t = "TEXT"
		}
		lines = append(lines, "  "+quote(p.columns[i])+" "+t)
	}
	if s.Mark != "" {
		lines = append(lines, "  "+quote(s.Mark)+" "+types["mark"])
	}
	all := []string{"CREATE TABLE " + quoteTable(s.Table) + " (\n" + strings.Join(lines, ",\n") + "\n)"}
	if s.Mark != "" { // what is not marked is found at once, however much is
		index := strings.ReplaceAll(s.Table, ".", "_") + "_to_do"
		all = append(all, "CREATE INDEX "+quote(index)+" ON "+quoteTable(s.Table)+" ("+quote(p.columns[0])+") WHERE "+quote(s.Mark)+" IS NULL")
	}
	return all, nil
}

// Create makes a table, and the file that it is in where SQLite has none.
func Create(ctx context.Context, s Spec) error {
	statements, err := Statements(s)
	if err != nil {
		return err
	}
	db, err := connect(s)
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return closed(db, err)
	}
	for _, statement := range statements {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			_ = tx.Rollback() // it is told why
			return closed(db, err)
		}
	}
	return closed(db, tx.Commit())
}

// Put inserts a row, as a program would in its own transaction, and gives its id.
func (t *Table) Put(ctx context.Context, r relay.Row) (id any, err error) {
	var payload any
	if r.Payload != nil {
		payload = string(r.Payload)
	}
	if err := t.db.QueryRowContext(ctx, t.put, r.AggregateType, r.AggregateID, r.Type, payload).Scan(&id); err != nil {
		return nil, fmt.Errorf("table %s: %w", t.plan.Table, err)
	}
	return id, nil
}

// absolute is where a file is, also one that is not there yet.
func absolute(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real, nil
	}
	return path, nil
}
