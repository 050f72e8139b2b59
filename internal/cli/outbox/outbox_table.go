package outbox

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/cli/relay"
	"ottla/internal/cli/relay/table"
)

func outboxCreate(o *ask.Options) *cobra.Command {
	var f tableFlags
	var mark string
	var dry bool
	c := &cobra.Command{
		Use:   "create DATABASE",
		Short: "Make an outbox table, and print the SQL that makes it",
		Long: "Make an outbox table in Postgres or SQLite (whose file is made where there is none), and\n" +
			"print the SQL that makes it. With --dry-run it is only printed, as for a migration.",
		Example: "  ottla outbox create sqlite:app.db\n" +
			"  ottla outbox create postgres://app@db/shop --table app.outbox --mark sent_at --dry-run",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := f.spec(args[0])
			if err != nil {
				return err
			}
			spec.Mark = mark
			what := "cannot make table " + spec.Table
			statements, err := table.Statements(spec)
			if err == nil && !dry {
				err = table.Create(cmd.Context(), spec)
			}
			if err != nil {
				return fail.New(fail.Failed, what, err.Error(), "")
			}
			_, err = fmt.Fprintln(o.Out, strings.Join(statements, ";\n")+";")
			return err
		},
	}
	f.bind(c)
	c.Flags().StringVar(&mark, "mark", "", "a column more: rows are kept, and it is set when they are written")
	c.Flags().BoolVar(&dry, "dry-run", false, "print only")
	return c
}

func outboxPut(o *ask.Options) *cobra.Command {
	var f tableFlags
	var row relay.Row
	c := &cobra.Command{
		Use:   "put DATABASE TYPE [DATA]",
		Short: "Insert a row into an outbox table, to try it",
		Long: "Insert a row into an outbox table, to try it. A program inserts it by itself, in the\n" +
			"transaction that changes what the event is about.",
		Example: "  ottla outbox put sqlite:app.db OrderPlaced '{\"order\":17}' --source shop.orders --subject 17",
		Args:    cobra.RangeArgs(2, 3),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec, err := f.spec(args[0])
			if err != nil {
				return err
			}
			if row.Type = args[1]; len(args) == 3 {
				row.Payload = []byte(args[2])
			}
			t, err := table.Open(cmd.Context(), spec)
			if err != nil {
				return fail.New(fail.Failed, "cannot put a row into table "+spec.Table, err.Error(), "")
			}
			id, err := t.Put(cmd.Context(), row)
			if err = errors.Join(err, t.Close()); err != nil {
				return fail.New(fail.Failed, "cannot put a row", err.Error(), "")
			}
			shown := &out.Table{One: true, Columns: []out.Column{{Field: "table", Title: "TABLE"}, {Field: "id", Title: "ID"}}}
			shown.Add(spec.Table, fmt.Sprint(id))
			return o.Print(shown)
		},
	}
	f.bind(c)
	c.Flags().StringVar(&row.AggregateType, "source", "ottla.cli", "what the event comes from (aggregatetype)")
	c.Flags().StringVar(&row.AggregateID, "subject", "", "what it is about (aggregateid)")
	return c
}
