package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strings"

	"ottla/internal/cli/relay"
	"ottla/internal/event/envelope"
)

// mostBytes bounds the payloads that are read at once; the row that goes beyond is the
// last.
const mostBytes = 8 << 20

// Table is an open table.
type Table struct {
	db       *sql.DB
	plan     *plan
	identity string
	read     string // takes how many
	find     string // takes ids
	done     string // takes ids
	put      string // takes aggregatetype, aggregateid, type, payload
	most     int    // how many rows are asked for; 0 is any number
	// ids makes them one argument.
	ids func([]any) (any, error)
	// same tells whether the database is still the one that was opened.
	same func() error
}

// newTable writes the statements. order, one (what finds a row by ids) and arg (what is
// before an argument's number) differ between databases.
func newTable(db *sql.DB, p *plan, identity, order, one, arg string) *Table {
	t := &Table{db: db, plan: p, identity: identity, same: func() error { return nil }}
	var columns []string
	for _, c := range p.columns {
		columns = append(columns, quote(c))
	}
	from, id := quoteTable(p.Table), quote(p.columns[0])
	t.read = "SELECT " + strings.Join(columns, ", ") + " FROM " + from
	t.find = t.read + " WHERE " + id + " " + one
	t.done = "DELETE FROM " + from + " WHERE " + id + " " + one
	if p.Mark != "" {
		mark := quote(p.Mark)
		t.find += " AND " + mark + " IS NULL"
		t.read += " WHERE " + mark + " IS NULL"
		t.done = "UPDATE " + from + " SET " + mark + " = CURRENT_TIMESTAMP WHERE " + mark + " IS NULL AND " + id + " " + one
	}
	t.read += " ORDER BY " + order + " LIMIT " + arg + "1"
	t.put = "INSERT INTO " + from + " (" + strings.Join(columns[1:len(fields)], ", ") + ") VALUES (" +
		arg + "1, " + arg + "2, " + arg + "3, " + arg + "4) RETURNING " + id
	return t
}

// quote makes a name of what is given.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func quoteTable(name string) string {
	schema, table, ok := strings.Cut(name, ".")
	if !ok {
		return quote(name)
	}
	return quote(schema) + "." + quote(table)
}

// Identity is where the table is, without who asks.
func (t *Table) Identity() string { return t.identity }

// Close ends the connection.
func (t *Table) Close() error { return t.db.Close() }

// Read gives the first rows that are not done.
func (t *Table) Read(ctx context.Context, most int) ([]relay.Row, error) {
	if err := t.same(); err != nil {
		return nil, err
	}
	limit := most
	if t.most > 0 {
		limit = min(most, t.most)
	}
	rows, cut, err := t.query(ctx, mostBytes, t.read, limit)
	// A database sends all that it was asked for, also what is not read then: large rows
	// are asked for by as few as were read.
	switch {
	case cut:
		t.most = max(1, len(rows))
	case err != nil: // perhaps they were too many for the time that there was
		t.most = max(1, limit/2)
	default:
		t.most = 2 * limit
	}
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// Find gives those of some rows that are there and not done.
func (t *Table) Find(ctx context.Context, ids []any) ([]relay.Row, error) {
	arg, err := t.ids(ids)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.plan.Table, err)
	}
	rows, _, err := t.query(ctx, math.MaxInt, t.find, arg) // what was read at once before
	if err != nil {
		return nil, err
	}
	return rows, nil
}

// query reads rows; cut tells that their bytes ended it. Rows are of no use when there is
// an error.
func (t *Table) query(ctx context.Context, bytes int, statement string, arg any) (out []relay.Row, cut bool, err error) {
	rows, err := t.db.QueryContext(ctx, statement, arg)
	if err != nil {
		return nil, false, fmt.Errorf("read table %s: %w", t.plan.Table, err)
	}
	defer func() {
		if cErr := rows.Close(); err == nil && cErr != nil {
			err = fmt.Errorf("read table %s: %w", t.plan.Table, cErr)
		}
	}()
	values := make([]any, len(t.plan.columns))
	into := make([]any, len(values))
	for i := range values {
		into[i] = &values[i]
	}
	size := 0
	for size < bytes && rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, false, fmt.Errorf("read table %s: %w", t.plan.Table, err)
		}
		r, err := t.row(values)
		if err != nil && len(out) > 0 {
			return out, false, nil // that is said when it is the first
		}
		if err != nil {
			return nil, false, &relay.RowError{ID: values[0], Cause: err}
		}
		size += len(r.Payload)
		out = append(out, r)
	}
	if cut = size >= bytes; cut {
		return out, true, nil
	}
	if err := rows.Err(); err != nil {
		return nil, false, fmt.Errorf("read table %s: %w", t.plan.Table, err)
	}
	return out, false, nil
}

func (t *Table) row(values []any) (r relay.Row, err error) {
	for i, name := range t.plan.names {
		v := values[i]
		switch name {
		case "id":
			r.ID, err = idOf(v)
		case "payload":
			r.Payload, err = bytesOf(v)
		case fieldTime:
			r.Time, err = timeOf(v)
		case "aggregatetype":
			r.AggregateType, err = textOf(v)
		case "aggregateid":
			r.AggregateID, err = textOf(v)
		case "type":
			r.Type, err = textOf(v)
		default:
			var text string
			if text, err = textOf(v); text != "" {
				r.Extensions = append(r.Extensions, envelope.Extension{Name: name, Value: text})
			}
		}
		if err != nil {
			return r, fmt.Errorf("column %q: %w", t.plan.columns[i], err)
		}
	}
	return r, nil
}

// Done deletes or marks rows.
func (t *Table) Done(ctx context.Context, ids []any) error {
	arg, err := t.ids(ids)
	if err == nil {
		_, err = t.db.ExecContext(ctx, t.done, arg)
	}
	if err != nil {
		return fmt.Errorf("table %s: %w", t.plan.Table, err)
	}
	return nil
}

// closed closes a database that is not used, and keeps what is wrong with it.
func closed(db *sql.DB, err error) error { return errors.Join(err, db.Close()) }
