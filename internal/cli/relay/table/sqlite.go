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
	order, err := checkSQLite(ctx, db, p)
	if err != nil {
		return nil, closed(db, err)
	}
	t := newTable(db, p, "sqlite:"+path+" "+p.Table, order, "IN (SELECT value FROM json_each(?1))", "?")
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

// checkSQLite refuses a table by which rows could be lost, and gives its order.
func checkSQLite(ctx context.Context, db *sql.DB, p *plan) (string, error) {
	if strings.Contains(p.Table, ".") {
		return "", fmt.Errorf("table %q: SQLite has no schemas", p.Table)
	}
	var text string
	if err := db.QueryRowContext(ctx, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", p.Table).Scan(&text); err == sql.ErrNoRows {
		return "", fmt.Errorf("there is no table %s", p.Table)
	} else if err != nil {
		return "", fmt.Errorf("look at table %s: %w", p.Table, err)
	}
	columns, rowid, err := columnsSQLite(ctx, db, p.Table)
	if err != nil {
		return "", fmt.Errorf("look at table %s: %w", p.Table, err)
	}
	if err := p.check(columns); err != nil {
		return "", err
	}
	text = strings.ToUpper(text)
	without := strings.Contains(text, "WITHOUT ROWID")
	if rowid == p.columns[0] && !without && !strings.Contains(text, "AUTOINCREMENT") {
		return "", fmt.Errorf("table %s gives the id of a deleted row to another: make its column %q INTEGER PRIMARY KEY AUTOINCREMENT, or a text", p.Table, rowid)
	}
	switch {
	case p.Order != "":
		return quote(p.Order) + ", " + quote(p.columns[0]), nil
	case without:
		return quote(p.columns[0]), nil
	}
	return "rowid", nil
}

// columnsSQLite gives the columns, and which is another name of the rowid.
func columnsSQLite(ctx context.Context, db *sql.DB, table string) (out []column, rowid string, err error) {
	rows, err := db.QueryContext(ctx, `
		SELECT c.name, c.type, c.pk, (SELECT max(pk) FROM pragma_table_info(?1)),
			EXISTS (SELECT 1 FROM pragma_index_list(?1) l WHERE l."unique" AND NOT l.partial
				AND (SELECT group_concat(name) FROM pragma_index_info(l.name)) = c.name)
		FROM pragma_table_info(?1) c`, table)
	if err != nil {
		return nil, "", err
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		var pk, most int
		if err := rows.Scan(&c.name, &c.kind, &pk, &most, &c.key); err != nil {
			return nil, "", err
		}
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
