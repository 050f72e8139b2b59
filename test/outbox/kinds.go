package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// kinds looks at columns of Postgres's own types, marks, an order and rights.
func (s *stage) kinds(ctx context.Context, p *postgres, c *kgo.Client) error {
	db, err := p.connect()
	if err != nil {
		return err
	}
	defer db.Close()
	for _, statement := range []string{
		"CREATE SCHEMA app", "CREATE TYPE app.kind AS ENUM ('order')", "CREATE ROLE reader LOGIN",
		`CREATE TABLE app."Events" (key uuid PRIMARY KEY, kind app.kind NOT NULL, who bigint, what varchar(40) NOT NULL, body jsonb, at timestamptz NOT NULL DEFAULT '2026-11-26 16:00:00.5+01', seq numeric, sent timestamp)`,
		`INSERT INTO app."Events" (key, kind, who, what, body, seq) VALUES ('ffffffff-0000-0000-0000-000000000000', 'order', 4, 'Placed', '{"b": 1, "a": 2}', 1), ('00000000-0000-0000-0000-000000000000', 'order', NULL, 'Gone', NULL, 2)`,
		`GRANT USAGE ON SCHEMA app TO reader`, `GRANT SELECT ON app."Events" TO reader`,
		"CREATE TABLE bytes (id integer GENERATED ALWAYS AS IDENTITY UNIQUE, aggregatetype text, aggregateid text, type text, payload bytea)",
		`INSERT INTO bytes (aggregatetype, aggregateid, type, payload) VALUES ('b', 'x', 't', '\x00ff')`,
		"CREATE TABLE parent (id bigint PRIMARY KEY, aggregatetype text, aggregateid text, type text, payload text)",
		"CREATE TABLE child () INHERITS (parent)",
		"CREATE TABLE parted (id bigint, at date, aggregatetype text, aggregateid text, type text, payload text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)",
	} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	if made, err := kadm.NewClient(c).CreateTopics(ctx, 1, 1, nil, "kinds", "made"); err != nil || made.Error() != nil {
		return errors.Join(err, made.Error())
	}
	events := []string{"--table", "app.Events", "--column", "id=key", "--column", "aggregatetype=kind", "--column", "aggregateid=who", "--column", "type=what", "--column", "payload=body", "--column", "time=at", "--column", "position=seq"}
	as := func(user string) string { return strings.Replace(p.url(), "app@", user+"@", 1) }
	err = errors.Join(
		s.says(ctx, "do not tell which row came first", as("app"), events...),
		s.says(ctx, "GRANT SELECT, DELETE", as("reader"), append(events, "--order", "seq")...),
		s.says(ctx, "GRANT SELECT, UPDATE", as("reader"), append(events, "--order", "seq", "--mark", "sent")...),
		s.says(ctx, "rows are marked with the time", as("app"), append(events, "--order", "seq", "--mark", "what")...),
		s.says(ctx, "no unique index", as("app"), "--table", "parted"),
		s.says(ctx, "other tables inherit from table parent", as("app"), "--table", "parent"),
		s.says(ctx, "there is no table none", as("app"), "--table", "none"),
		s.says(ctx, "lets nothing be written", as("app")+"&options=-c%20default_transaction_read_only%3Don"),
		s.says(ctx, "", as("app"), append(events, "--order", "seq", "--mark", "sent")...),
		s.says(ctx, "", as("app"), append(events, "--order", "seq", "--mark", "sent")...),
		s.says(ctx, "", as("app"), "--table", "bytes"),
		s.made(ctx, as("app")),
	)
	if err != nil {
		return err
	}
	var marked, left int
	if err := db.QueryRowContext(ctx, `SELECT (SELECT count(sent) FROM app."Events"), (SELECT count(*) FROM bytes)`).Scan(&marked, &left); err != nil || marked != 2 || left != 0 {
		return fmt.Errorf("%d rows are marked, and %d are left; want 2 and 0 (%v)", marked, left, err)
	}
	return s.kindsCame(ctx, c)
}

// says runs a relay until no row is left, and looks whether it ends with such an error;
// "" is without.
func (s *stage) says(ctx context.Context, want, url string, more ...string) error {
	cmd := s.ottla(ctx, append([]string{"outbox", "run", url, "--to", "topic:kinds", "--once"}, more...)...)
	cmd.Stdout, cmd.Stderr = nil, nil
	out, err := cmd.CombinedOutput()
	if (err != nil) != (want != "") || !strings.Contains(string(out), want) {
		return fmt.Errorf("outbox run %s: %v; want %q, it says: %s", strings.Join(more, " "), err, want, out)
	}
	return nil
}

// made has a table made, and a row put into it.
func (s *stage) made(ctx context.Context, url string) error {
	of := []string{"--table", "app.made", "--column", "time=at"}
	run := append([]string{"run", url, "--once", "--to", "topic:made", "--mark", "sent"}, of...)
	return errors.Join(
		s.prints(ctx, `"sent" timestamptz`, append([]string{"create", url, "--mark", "sent"}, of...)...),
		s.prints(ctx, "\napp.made  1\n", append([]string{"put", url, "Made", `{"a":1}`, "--source", "m", "--subject", "s"}, of...)...),
		s.prints(ctx, " 1\n", run...),
		s.prints(ctx, " 0\n", run...),
	)
}

// prints runs a command of outbox, and looks whether it prints that.
func (s *stage) prints(ctx context.Context, want string, args ...string) error {
	cmd := s.ottla(ctx, append([]string{"outbox"}, args...)...)
	cmd.Stdout = nil
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), want) {
		return fmt.Errorf("outbox %s: %v; want %q, it prints: %s", strings.Join(args, " "), err, want, out)
	}
	return nil
}

func (s *stage) kindsCame(ctx context.Context, c *kgo.Client) error {
	all, err := committed(ctx, c, "kinds", 1)
	if err != nil {
		return err
	}
	var got []string
	for _, r := range all {
		line := fmt.Sprintf("%s=%s", r.Key, r.Value)
		for _, h := range r.Headers {
			line += fmt.Sprintf(" %s=%s", strings.TrimPrefix(h.Key, "ce_"), h.Value)
		}
		got = append(got, line)
	}
	want := []string{
		`4={"a": 2, "b": 1} content-type=application/json specversion=1.0 id=ffffffff-0000-0000-0000-000000000000 source=order type=Placed subject=4 time=2026-11-26T15:00:00.5Z partitionkey=4 position=1`,
		`= specversion=1.0 id=00000000-0000-0000-0000-000000000000 source=order type=Gone time=2026-11-26T15:00:00.5Z position=2`,
		"x=\x00\xff content-type=application/octet-stream specversion=1.0 id=1 source=b type=t subject=x partitionkey=x",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		return fmt.Errorf("the topic has\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	return nil
}
