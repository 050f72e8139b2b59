package table

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"ottla/internal/cli/relay"
)

// driver is what package sqlite below registers.
const driver = "sqlite"

// dsn is a file for the driver. Deleting and marking is on the disk when it returns,
// whatever the journal's mode; a writer is waited for.
func dsn(path, mode string) string {
	slashed := filepath.ToSlash(path)
	if !strings.HasPrefix(slashed, "/") {
		slashed = "/" + slashed // a drive's letter
	}
	u := url.URL{Scheme: "file", Path: slashed, RawQuery: "mode=" + mode + "&_txlock=immediate&_pragma=busy_timeout(20000)&_pragma=synchronous(FULL)"}
	return u.String()
}

func connectSQLite(path, mode string) (*sql.DB, error) {
	if !slices.Contains(sql.Drivers(), driver) {
		return nil, errors.New("this program is built without SQLite")
	}
	db, err := sql.Open(driver, dsn(path, mode))
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	return db, nil
}

// openSQLite opens a file that is there.
func openSQLite(ctx context.Context, p *plan, path string) (*Table, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	opened, err := os.Stat(path)
	if err != nil || !opened.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file of SQLite", path)
	}
	db, err := connectSQLite(path, "rw")
	if err != nil {
		return nil, err
	}
	order, one, err := checkSQLite(ctx, db, p)
	if err != nil {
		return nil, closed(db, err)
	}
	t := newTable(db, p, "sqlite:"+path+" "+p.Table, order, one, "?")
	t.ids = func(ids []any) (any, error) {
		list, err := json.Marshal(ids)
		return string(list), err
	}
	// Who has a file open that was deleted reads it for ever, and no new row comes.
	t.same = func() error {
		switch now, err := os.Stat(path); {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s: %w: it is gone", path, relay.ErrReplaced)
		case err != nil:
			return fmt.Errorf("look at %s: %w", path, err)
		case !os.SameFile(opened, now):
			return fmt.Errorf("%s: %w", path, relay.ErrReplaced)
		}
		return nil
	}
	return t, nil
}

// unsaid is what is no part of a statement: comments, and what is quoted.
var unsaid = regexp.MustCompile("(?s)--[^\n]*|/\\*.*?(?:\\*/|$)|'[^']*'|\"[^\"]*\"|`[^`]*`|\\[[^]]*\\]")

// checkSQLite refuses a table by which rows could be lost, and gives its order and what
// finds a row by ids.
func checkSQLite(ctx context.Context, db *sql.DB, p *plan) (order, one string, err error) {
	if strings.Contains(p.Table, ".") {
		return "", "", fmt.Errorf("table %q: SQLite has no schemas", p.Table)
	}
	var text string
	if err := db.QueryRowContext(ctx, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", p.Table).Scan(&text); err == sql.ErrNoRows {
		return "", "", fmt.Errorf("there is no table %s", p.Table)
	} else if err != nil {
		return "", "", fmt.Errorf("look at table %s: %w", p.Table, err)
	}
	columns, rowid, err := columnsSQLite(ctx, db, p.Table)
	if err != nil {
		return "", "", fmt.Errorf("look at table %s: %w", p.Table, err)
	}
	if err := p.check(columns); err != nil {
		return "", "", err
	}
	text = strings.ToUpper(strings.Join(strings.Fields(unsaid.ReplaceAllString(text, " ")), " "))
	without := strings.Contains(text, "WITHOUT ROWID")
	if rowid == p.columns[0] && !without && !strings.Contains(text, "AUTOINCREMENT") {
		return "", "", fmt.Errorf("table %s gives the id of a deleted row to another: make its column %q INTEGER PRIMARY KEY AUTOINCREMENT, or a text", p.Table, rowid)
	}
	// By the collation in which ids are unique: that of the column may take one for another.
	one = "IN (SELECT value FROM json_each(?1))"
	if id := columns[slices.IndexFunc(columns, func(c column) bool { return c.name == p.columns[0] })]; id.collation != "" {
		one = "COLLATE " + quote(id.collation) + " " + one
	}
	switch {
	case p.Order != "":
		return quote(p.Order) + ", " + quote(p.columns[0]), one, nil
	case without:
		return quote(p.columns[0]), one, nil
	}
	return "rowid", one, nil
}

// columnsSQLite gives the columns, and which is another name of the rowid.
func columnsSQLite(ctx context.Context, db *sql.DB, table string) (out []column, rowid string, err error) {
	rows, err := db.QueryContext(ctx, `
		SELECT c.name, c.type, c.pk, (SELECT max(pk) FROM pragma_table_info(?1)),
			(SELECT x.coll FROM pragma_index_list(?1) l, pragma_index_xinfo(l.name) x WHERE l."unique" AND NOT l.partial AND x.key
				AND x.name = c.name AND (SELECT count(*) FROM pragma_index_xinfo(l.name) WHERE key) = 1 ORDER BY x.coll <> 'BINARY' LIMIT 1)
		FROM pragma_table_info(?1) c`, table)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		var pk, most int
		var unique sql.NullString
		if err := rows.Scan(&c.name, &c.kind, &pk, &most, &unique); err != nil {
			return nil, "", err
		}
		c.key, c.collation = unique.Valid, unique.String
		if pk == 1 && most == 1 {
			c.key = true
			if strings.EqualFold(c.kind, "INTEGER") {
				rowid = c.name
			}
		}
		out = append(out, c)
	}
	return out, rowid, rows.Err()
}
