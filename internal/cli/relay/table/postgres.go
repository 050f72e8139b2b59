package table

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib" // database/sql by it
)

// connectPostgres connects as libpq would by the same URL and environment. What it says
// of a URL that cannot be read has no part of it: where a password ends in it is not
// known then.
func connectPostgres(address string) (*sql.DB, *pgx.ConnConfig, error) {
	if _, err := url.Parse(address); err != nil {
		return nil, nil, errors.New("the URL of the database cannot be read: in a name or password, write # / ? @ % and the like as %23 %2F %3F %40 %25")
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		why := "want postgres://USER@HOST:PORT/DATABASE?SETTING=VALUE"
		var parse *url.Error
		if cause := errors.Unwrap(err); cause != nil && !errors.As(err, &parse) {
			why = cause.Error()
		}
		return nil, nil, errors.New("the URL of the database cannot be used: " + why)
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "ottla outbox"
	}
	if config.ValidateConnect == nil { // also when it connects again, perhaps to another of several servers
		config.ValidateConnect = mayWrite
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(1)
	return db, config, nil
}

var errReadOnly = errors.New("this server, or this user's default_transaction_read_only, lets nothing be written: rows are to be deleted or marked, which a standby cannot do")

// mayWrite refuses a connection by which nothing can be written.
func mayWrite(ctx context.Context, c *pgconn.PgConn) error {
	err := pgconn.ValidateConnectTargetSessionAttrsReadWrite(ctx, c)
	if errors.Is(err, pgconn.ErrReadOnlyConnection) {
		return errReadOnly
	}
	return err
}

func openPostgres(ctx context.Context, p *plan) (*Table, error) {
	db, config, err := connectPostgres(p.URL)
	if err != nil {
		return nil, err
	}
	id, order, err := checkPostgres(ctx, db, p)
	if err != nil {
		return nil, closed(db, err)
	}
	where := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	t := newTable(db, p, "postgres://"+where+"/"+config.Database+" "+p.Table, order, "= ANY ($1::text[]::"+id+"[])", "$")
	t.ids = func(ids []any) (any, error) {
		texts := make([]string, len(ids))
		for i, id := range ids {
			texts[i] = fmt.Sprint(id)
		}
		return texts, nil
	}
	return t, nil
}

// checkPostgres refuses a table by which rows could be lost, and gives the type of its
// id and its order.
func checkPostgres(ctx context.Context, db *sql.DB, p *plan) (id, order string, err error) {
	right := "DELETE"
	if p.Mark != "" {
		right = "UPDATE"
	}
	var there, may, parent, readOnly bool
	err = db.QueryRowContext(ctx, `
		SELECT t IS NOT NULL, COALESCE(has_any_column_privilege(t, 'SELECT')
			AND CASE WHEN $2 = 'DELETE' THEN has_table_privilege(t, 'DELETE') ELSE has_any_column_privilege(t, 'UPDATE') END, false),
			EXISTS (SELECT 1 FROM pg_inherits JOIN pg_class c ON c.oid = inhparent WHERE inhparent = t AND c.relkind = 'r'),
			current_setting('transaction_read_only') = 'on'
		FROM (SELECT to_regclass($1)::oid AS t) x`, quoteTable(p.Table), right).Scan(&there, &may, &parent, &readOnly)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("look at table %s: %w", p.Table, err)
	case !there:
		return "", "", fmt.Errorf("there is no table %s in this database", p.Table)
	case readOnly:
		return "", "", errReadOnly
	case parent:
		return "", "", fmt.Errorf("other tables inherit from table %s, and their ids need not be others than its own: take one that has no children", p.Table)
	case !may:
		return "", "", fmt.Errorf("this user may not read and %s rows of table %s: GRANT SELECT, %[1]s ON it", right, p.Table)
	}
	columns, err := columnsPostgres(ctx, db, p.Table)
	if err != nil {
		return "", "", fmt.Errorf("look at table %s: %w", p.Table, err)
	}
	if err := p.check(columns); err != nil {
		return "", "", err
	}
	kind := func(name string) string {
		return columns[slices.IndexFunc(columns, func(c column) bool { return c.name == name })].kind
	}
	if p.Mark != "" && !strings.HasPrefix(kind(p.Mark), "timestamp") {
		return "", "", fmt.Errorf("column %q of table %s is %s: rows are marked with the time, in a column of type timestamptz", p.Mark, p.Table, kind(p.Mark))
	}
	id, order = kind(p.columns[0]), quote(p.columns[0])
	switch whole := slices.Contains([]string{"bigint", "integer", "smallint"}, id); {
	case p.Order != "" && p.Order != p.columns[0]:
		order = quote(p.Order) + ", " + order
	case p.Order == "" && !whole:
		return "", "", fmt.Errorf("ids of table %s are %s and do not tell which row came first: name a column that does with --order (--order %s if they are made in order, as UUIDs of version 7)", p.Table, id, p.columns[0])
	}
	return id, order, nil
}

func columnsPostgres(ctx context.Context, db *sql.DB, table string) (out []column, err error) {
	rows, err := db.QueryContext(ctx, `
		SELECT a.attname, format_type(a.atttypid, a.atttypmod),
			EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = a.attrelid AND i.indisunique AND i.indisvalid
				AND i.indnkeyatts = 1 AND i.indkey[0] = a.attnum AND i.indpred IS NULL)
		FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`, quoteTable(table))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var c column
		if err := rows.Scan(&c.name, &c.kind, &c.key); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}
