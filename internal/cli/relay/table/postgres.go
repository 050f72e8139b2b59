package table

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib" // database/sql by it
)

// openPostgres connects, as libpq would by the same URL and environment.
func openPostgres(ctx context.Context, p *plan) (*Table, error) {
	config, err := pgx.ParseConfig(p.URL)
	if err != nil {
		return nil, err
	}
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "ottla outbox"
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(1)
	id, order, err := checkPostgres(ctx, db, p)
	if err != nil {
		return nil, closed(db, err)
	}
	where := net.JoinHostPort(config.Host, strconv.Itoa(int(config.Port)))
	t := newTable(db, p, "postgres://"+where+"/"+config.Database+" "+p.Table, order, "= ANY ($1::text[]::"+id+"[])", "$1")
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
	var there, may bool
	err = db.QueryRowContext(ctx, `
		SELECT t IS NOT NULL, COALESCE(has_any_column_privilege(t, 'SELECT')
			AND CASE WHEN $2 = 'DELETE' THEN has_table_privilege(t, 'DELETE') ELSE has_any_column_privilege(t, 'UPDATE') END, false)
		FROM (SELECT to_regclass($1)::oid AS t) x`, quoteTable(p.Table), right).Scan(&there, &may)
	switch {
	case err != nil:
		return "", "", fmt.Errorf("look at table %s: %w", p.Table, err)
	case !there:
		return "", "", fmt.Errorf("there is no table %s in this database", p.Table)
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
