package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"ottla/internal/cli/out"
	"ottla/internal/cli/queues"
	"ottla/internal/gateway/rest"
)

func queueExplain(o *options) *cobra.Command {
	var q queueFlags
	c := &cobra.Command{
		Use:   "explain NAME",
		Short: "Say why messages of a queue are not taken: who has them, until when, what they wait for",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.explainQueue(cmd.Context(), &q, args[0])
		},
	}
	q.bind(c)
	return c
}

// explainQueue says where a queue's messages are and what holds them.
func (o *options) explainQueue(ctx context.Context, q *queueFlags, name string) error {
	var x rest.Explained
	if err := o.ask(ctx, q.http, "cannot explain queue "+name, http.MethodGet, queuePath(name, "explain"), q.query(), nil, &x); err != nil {
		return err
	}
	t := &out.Table{Columns: []out.Column{{Field: "queue"}, {Field: "finding"}, {Field: "fix"}}}
	if o.format == "table" {
		fmt.Fprintf(o.out, "%s  %s waiting, %d in flight, %d delayed\n", x.Name, countWord(x.Counts.Waiting, "message"), x.Counts.InFlight, x.Counts.Delayed)
	}
	for _, n := range queues.Verdict(&x) {
		t.Add(x.Name, n.Text, orNil(n.Fix))
		if o.format == "table" {
			o.paragraph("  "+n.Text, list(nonEmpty("  try: "+n.Fix, n.Fix)))
		}
	}
	if o.format == "table" {
		return nil
	}
	return o.print(t)
}
