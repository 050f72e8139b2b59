package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Spec is what is said of a table.
type Spec struct {
	URL   string // postgres://… or sqlite:PATH
	Table string // may have a schema in front: public.outbox
	// Columns maps what a row is to the columns that have it: id, aggregatetype,
	// aggregateid, type, payload, time, or an extension attribute. The first five are
	// columns of their own names where nothing is said.
	Columns map[string]string
	Order   string // the column that says which row comes first; "" is the table's order of insertion
	Mark    string // the column that is set when a row is done, NULL before; "" deletes rows
}

// fields are what a row is, in the order in which they are read.
var fields = []string{"id", "aggregatetype", "aggregateid", "type", "payload"}

// fieldTime is the one that a table need not have.
const fieldTime = "time"

// plan is a Spec with everything said.
type plan struct {
	Spec
	names   []string // fields, then time if there is one, then extensions by name
	columns []string // of these
}

func (s Spec) plan() *plan {
	p := &plan{Spec: s}
	for _, f := range fields {
		p.add(f, s.column(f))
	}
	if c := s.Columns[fieldTime]; c != "" {
		p.add(fieldTime, c)
	}
	var more []string
	for name := range s.Columns {
		if name != fieldTime && !slices.Contains(fields, name) {
			more = append(more, name)
		}
	}
	slices.Sort(more)
	for _, name := range more {
		p.add(name, s.Columns[name])
	}
	return p
}

func (p *plan) add(name, column string) {
	p.names, p.columns = append(p.names, name), append(p.columns, column)
}

func (s *Spec) column(field string) string {
	if c := s.Columns[field]; c != "" {
		return c
	}
	return field
}

// column is what a database says of one.
type column struct {
	name, kind string // kind as the database calls it
	key        bool   // no two rows have the same, by a unique index or as the primary key
	collation  string // of that index, in SQLite
}

// check tells what is wrong with the table, by its columns.
func (p *plan) check(have []column) error {
	var names []string
	for _, c := range have {
		names = append(names, c.name)
	}
	want := p.columns
	for _, c := range []string{p.Order, p.Mark} {
		if c != "" {
			want = append(slices.Clone(want), c)
		}
	}
	for i, c := range want {
		if !slices.Contains(names, c) {
			hint := ""
			if i < len(p.names) {
				hint = fmt.Sprintf("; --column %s=COLUMN names another for %[1]s", p.names[i])
			}
			return fmt.Errorf("table %s has no column %q; it has %s%s", p.Table, c, strings.Join(names, ", "), hint)
		}
	}
	if id := have[slices.Index(names, p.columns[0])]; !id.key {
		return fmt.Errorf("column %q of table %s has no unique index of its own: rows of one id could be deleted for each other", id.name, p.Table)
	}
	return nil
}

// The kinds of databases.
const (
	isPostgres = "postgres"
	isSQLite   = "sqlite"
)

// database is the kind of a URL's database, and the file of one of SQLite.
func (s Spec) database() (kind, file string, err error) {
	scheme, rest, _ := strings.Cut(s.URL, ":")
	switch scheme {
	case "postgres", "postgresql":
		return isPostgres, "", nil
	case "sqlite":
		file = strings.TrimPrefix(rest, "//")
		if file == "" {
			return "", "", errors.New("sqlite: names no file: give sqlite:PATH")
		}
		return isSQLite, file, nil
	}
	what := "that" // what psql takes beside URLs may have a password anywhere
	if schemes.MatchString(scheme) {
		what = fmt.Sprintf("%.40q", scheme)
	}
	return "", "", fmt.Errorf("%s is no database that is known: give postgres://USER@HOST/DATABASE or sqlite:PATH", what)
}

var schemes = regexp.MustCompile(`^[a-zA-Z0-9+.-]+$`)

// Check tells whether the URL is of a kind that is known.
func (s Spec) Check() error {
	_, _, err := s.database()
	return err
}

// Open opens a table, and refuses one by which rows could be lost.
func Open(ctx context.Context, s Spec) (*Table, error) {
	kind, file, err := s.database()
	switch {
	case err != nil:
		return nil, err
	case kind == isPostgres:
		return openPostgres(ctx, s.plan())
	}
	return openSQLite(ctx, s.plan(), file)
}

// connect reaches a database; a file of SQLite is made where there is none.
func connect(s Spec) (*sql.DB, error) {
	kind, file, err := s.database()
	if err != nil {
		return nil, err
	}
	if kind == isPostgres {
		db, _, err := connectPostgres(s.URL)
		return db, err
	}
	if file, err = absolute(file); err != nil {
		return nil, err
	}
	return connectSQLite(file, "rwc")
}
