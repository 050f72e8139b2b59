package queues

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/gateway/rest"
)

func queueMove(o *ask.Options) *cobra.Command {
	c := ask.Noun("move", "", "Move all messages of a queue to another, or dead letters back to where they came from",
		moveStart(o), moveList(o), moveCancel(o))
	c.Aliases = nil
	return c
}

func queueMoves() *out.Table {
	return &out.Table{Empty: "no moves", Columns: []out.Column{
		{Field: "handle", Title: "HANDLE"}, {Field: "from", Title: "FROM"}, {Field: "to", Title: "TO"}, {Field: "status", Title: "STATUS"},
		{Field: "moved", Title: "MOVED", Right: true}, {Field: "to_move", Title: "OF", Right: true}, {Field: "rate"}, {Field: "started", Title: "STARTED"},
		{Field: "failure", Title: "FAILURE"},
	}}
}

func addMove(t *out.Table, m *rest.Move) {
	to := any("where they came from")
	if m.To != "" {
		to = m.To
	}
	t.Add(m.Handle, m.From, to, m.Status, m.Moved, m.ToMove, m.Rate, time.UnixMilli(m.StartedMs).UTC().Format(time.RFC3339), ask.OrNil(m.Failure))
}

func moveStart(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	var to string
	var rate int32
	c := &cobra.Command{
		Use:   "start NAME",
		Short: "Begin to move all messages of a queue",
		Long: "Begin to move all messages of a queue to another, or without --to each dead letter to where it\n" +
			"came from. Each message is moved once, whatever is killed meanwhile.",
		Example: "  ottla queue move start billing-dead --rate 100\n  ottla queue move start old --to new",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if rate < 0 {
				return fail.Usagef("--rate %d: give messages a second, or 0 for no limit", rate)
			}
			var m rest.Move
			if err := o.Ask(cmd.Context(), q.HTTP, "cannot move messages of queue "+args[0], http.MethodPost, ask.QueuePath(args[0], "moves"), q.Query(),
				rest.MoveOrder{To: to, Rate: rate}, &m); err != nil {
				return err
			}
			t := queueMoves()
			addMove(t, &m)
			return o.Print(t)
		},
	}
	q.Bind(c)
	c.Flags().StringVar(&to, "to", "", "queue to move them to")
	c.Flags().Int32Var(&rate, "rate", 0, "messages a second at most (0 for no limit)")
	return c
}

func moveList(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	c := &cobra.Command{
		Use:   "list NAME",
		Short: "List moves from a queue, the newest first",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var got rest.Moves
			if err := o.Ask(cmd.Context(), q.HTTP, "cannot list moves of queue "+args[0], http.MethodGet, ask.QueuePath(args[0], "moves"), q.Query(), nil, &got); err != nil {
				return err
			}
			t := queueMoves()
			for i := range got.Moves {
				addMove(t, &got.Moves[i])
			}
			return o.Print(t)
		},
	}
	q.Bind(c)
	return c
}

func moveCancel(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	c := &cobra.Command{
		Use:   "cancel HANDLE",
		Short: "End a move; what was moved stays moved",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var m rest.Move
			if err := o.Ask(cmd.Context(), q.HTTP, "cannot cancel move "+args[0], http.MethodDelete, "/moves/"+args[0], nil, nil, &m); err != nil {
				return err
			}
			t := queueMoves()
			addMove(t, &m)
			return o.Print(t)
		},
	}
	q.Bind(c)
	return c
}
