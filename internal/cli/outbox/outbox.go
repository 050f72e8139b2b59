package outbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/cli/relay"
	"ottla/internal/cli/relay/table"
	"ottla/internal/event/envelope"
	"ottla/internal/gateway/rest"
)

// OutboxCommand is the noun outbox: rows of a database become events.
func OutboxCommand(o *ask.Options) *cobra.Command {
	c := ask.Noun("outbox", "", "Outbox tables: their rows become events, each exactly once", outboxRun(o), outboxCreate(o), outboxPut(o))
	c.Aliases = nil
	return c
}

// tableFlags say what an outbox table is.
type tableFlags struct {
	table   string
	columns []string
}

func (f *tableFlags) bind(c *cobra.Command) {
	c.Flags().StringVar(&f.table, "table", "outbox", "the table, with its schema in front if need be")
	c.Flags().StringArrayVar(&f.columns, "column", nil, "WHAT=COLUMN: where id, aggregatetype, aggregateid, type, payload, time or an extension attribute is; may be repeated")
}

type outboxFlags struct {
	ask.PlaceFlags
	of                    tableFlags
	to, name              string
	order, mark           string
	source, content       string
	poll                  time.Duration
	remove, once, isMoved bool
}

func outboxRun(o *ask.Options) *cobra.Command {
	var f outboxFlags
	c := &cobra.Command{
		Use:   "run DATABASE",
		Short: "Take rows of a table of Postgres or SQLite into a topic or bus, until Ctrl-C",
		Long: "Take the rows of an outbox table into a topic or bus, each exactly once, and delete or mark\n" +
			"them. DATABASE is postgres://USER@HOST/NAME or sqlite:PATH. The columns are Debezium's: id,\n" +
			"aggregatetype, aggregateid, type, payload; --column maps others. Only one runs under a name:\n" +
			"a second takes over from the first.",
		Example: "  ottla outbox run postgres://app@db/shop --to bus:shop\n" +
			"  ottla outbox run sqlite:app.db --table events --column payload=body --mark sent_at --to topic:orders",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return runOutbox(cmd.Context(), o, &f, args[0]) },
	}
	f.Bind(c)
	f.of.bind(c)
	g := c.Flags()
	g.StringVar(&f.to, "to", "", "bus:NAME or topic:NAME")
	g.StringVar(&f.name, "name", "", "name of this outbox in the cluster (default: that of the database and the table)")
	g.StringVar(&f.order, "order", "", "column that says which row comes first (default: the order in which rows came, as ids of Postgres tell it)")
	g.BoolVar(&f.remove, "delete", false, "delete rows that are written (that is the default)")
	g.StringVar(&f.mark, "mark", "", "keep rows, and set this column of those that are written; it is NULL before")
	g.DurationVar(&f.poll, "poll", 200*time.Millisecond, "how often to look when there is nothing")
	g.BoolVar(&f.once, "once", false, "end when no row is left")
	g.StringVar(&f.source, "source", "", "source of all events (default: the row's aggregatetype)")
	g.StringVar(&f.content, "content-type", "", "media type of the payloads (default: by what they are)")
	g.BoolVar(&f.isMoved, "moved", false, "this is the table that the name had so far, at another place")
	return c
}

func runOutbox(ctx context.Context, o *ask.Options, f *outboxFlags, database string) error {
	spec, err := f.spec(database)
	if err != nil {
		return err
	}
	topic, err := outboxTopic(ctx, o, f)
	if err != nil {
		return err
	}
	what := "cannot run outbox " + f.name
	t, err := table.Open(ctx, spec)
	if err != nil {
		return fail.New(fail.Failed, what, err.Error(), "")
	}
	outlet := &relay.Outlet{Name: f.name, Table: t.Identity(), Moved: f.isMoved, Shape: relay.Shape{Topic: topic, Source: f.source, ContentType: f.content}, Connect: o.Connect}
	r := &relay.Relay{Table: t, Open: outlet.Open, Poll: f.poll, Once: f.once, Note: func(err error) {
		fmt.Fprintf(o.Err, "outbox %s: %v; going on soon\n", f.name, err)
	}}
	fmt.Fprintf(o.Err, "outbox %s: rows of %s go to topic %s\n", f.name, t.Identity(), topic)
	err = errors.Join(r.Run(ctx), t.Close())
	if err != nil {
		return outboxFailure(what, topic, err)
	}
	shown := &out.Table{One: true, Columns: []out.Column{{Field: "outbox", Title: "OUTBOX"}, {Field: "topic", Title: "TOPIC"}, {Field: "rows", Title: "ROWS", Right: true}}}
	shown.Add(f.name, topic, r.Rows())
	return o.Print(shown)
}

// spec reads the flags.
func (f *tableFlags) spec(database string) (table.Spec, error) {
	s := table.Spec{URL: database, Table: f.table, Columns: map[string]string{}}
	known := []string{"id", "aggregatetype", "aggregateid", "type", "payload", "time"}
	for _, c := range f.columns {
		called, column, ok := strings.Cut(c, "=")
		if !ok || column == "" || !slices.Contains(known, called) && !extension(called) {
			return s, fail.Usagef("--column %s: want WHAT=COLUMN, where WHAT is %s, or the name of an extension attribute", c, strings.Join(known, ", "))
		}
		s.Columns[called] = column
	}
	return s, nil
}

// spec reads the flags, and gives the outbox its name.
func (f *outboxFlags) spec(database string) (table.Spec, error) {
	s, err := f.of.spec(database)
	switch s.Order, s.Mark = f.order, f.mark; {
	case err != nil:
		return s, err
	case f.remove && f.mark != "":
		return s, fail.Usagef("--delete and --mark: rows are either deleted or marked")
	case f.poll <= 0:
		return s, fail.Usagef("--poll %s: want a time above 0", f.poll)
	}
	if f.name == "" {
		f.name = outboxName(database, f.of.table)
	}
	if err := s.Check(); err != nil {
		return s, fail.New(fail.Failed, "cannot run an outbox", err.Error(), "")
	}
	if f.name == "" {
		return s, fail.Usagef("the URL names no database that this outbox could be called by: give it a --name")
	}
	if !outboxNames.MatchString(f.name) {
		return s, fail.Usagef("--name %s: a name has up to 200 letters, digits, dots, hyphens and underscores", f.name)
	}
	return s, nil
}

// extension tells whether an event may have an extension attribute of that name.
func extension(called string) bool {
	e := envelope.Event{ID: "1", Source: "s", Type: "t"}
	e.Set(called, "x")
	return e.Check() == nil
}

var (
	outboxNames = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,200}$`)
	notInNames  = regexp.MustCompile(`[^a-zA-Z0-9._-]+`)
)

// outboxName is the database's name and the table's, as far as topics may be called so;
// "" where the URL names no database. Nothing else of a URL may be in it: it has secrets.
func outboxName(database, table string) string {
	base := ""
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		base = filepath.Base(path)
		base = strings.TrimSuffix(base, filepath.Ext(base))
	} else if u, err := url.Parse(database); err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") {
		base = strings.Trim(u.Path, "/")
	}
	if base == "" {
		return ""
	}
	return strings.Trim(notInNames.ReplaceAllString(base+"."+table, "-"), "-")
}

// outboxTopic is the topic that --to means.
func outboxTopic(ctx context.Context, o *ask.Options, f *outboxFlags) (string, error) {
	kind, name, _ := strings.Cut(f.to, ":")
	switch {
	case kind == "topic" && name != "":
		return name, nil
	case kind == "bus" && name != "":
		var b rest.Bus
		err := o.Ask(ctx, f.HTTP, "cannot find bus "+name, http.MethodGet, ask.BusPath(name), f.Query(), nil, &b)
		return b.Topic, err
	}
	if f.to == "" {
		return "", fail.Usagef("where shall the rows go? --to is missing: want bus:NAME or topic:NAME")
	}
	return "", fail.Usagef("--to %s: want bus:NAME or topic:NAME", f.to)
}

// outboxFailure says what to do about what ended it.
func outboxFailure(what, topic string, err error) error {
	var row *relay.RowError
	switch {
	case errors.Is(err, relay.ErrOtherRow):
		return &fail.Failure{Code: fail.Failed, What: what, Why: err.Error(), Next: "nothing more was written or deleted: if the table was made anew, or ids came again, start with another --name; if only --column says something else than last time, start once with what it said then", Cause: err}
	case errors.Is(err, relay.ErrReplaced):
		return &fail.Failure{Code: fail.Failed, What: what, Why: err.Error(), Next: "start it again", Cause: err}
	case errors.As(err, &row):
		return &fail.Failure{Code: fail.Failed, What: what + " beyond row " + fmt.Sprint(row.ID), Why: row.Cause.Error(), Next: "all before it is written: change the row or delete it, and start again", Cause: err}
	case errors.Is(err, relay.ErrTakenOver):
		return &fail.Failure{Code: fail.Failed, What: what, Why: err.Error(), Next: "one at a time runs under a name: stop the other, or give this one another --name if its table is another", Cause: err}
	case errors.Is(err, kerr.UnknownTopicOrPartition):
		return &fail.Failure{Code: fail.NotFound, What: what, Why: "there is no topic " + topic, Next: "ottla topic create " + topic, Cause: err}
	}
	return ask.KafkaFailure(what, err)
}
