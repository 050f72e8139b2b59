package queues

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/out"
	"ottla/internal/gateway/rest"
)

func queueExplain(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	c := &cobra.Command{
		Use:   "explain NAME",
		Short: "Say why messages of a queue are not taken: who has them, until when, what they wait for",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return ExplainQueue(cmd.Context(), o, &q, args[0])
		},
	}
	q.Bind(c)
	return c
}

// ExplainQueue says where a queue's messages are and what holds them.
func ExplainQueue(ctx context.Context, o *ask.Options, q *ask.QueueFlags, name string) error {
	var x rest.Explained
	if err := o.Ask(ctx, q.HTTP, "cannot explain queue "+name, http.MethodGet, ask.QueuePath(name, "explain"), q.Query(), nil, &x); err != nil {
		return err
	}
	t := &out.Table{Columns: []out.Column{{Field: "queue"}, {Field: "finding"}, {Field: "fix"}}}
	if o.Format == "table" {
		fmt.Fprintf(o.Out, "%s  %s waiting, %d in flight, %d delayed\n", x.Name, ask.CountWord(x.Counts.Waiting, "message"), x.Counts.InFlight, x.Counts.Delayed)
	}
	for _, n := range Verdict(&x) {
		t.Add(x.Name, n.Text, ask.OrNil(n.Fix))
		if o.Format == "table" {
			o.Paragraph("  "+n.Text, ask.List(ask.NonEmpty("  try: "+n.Fix, n.Fix)))
		}
	}
	if o.Format == "table" {
		return nil
	}
	return o.Print(t)
}
