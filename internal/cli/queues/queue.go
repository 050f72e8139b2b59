package queues

import (
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/out"
	"ottla/internal/gateway/rest"
)

// QueueCommand is the noun queue.
func QueueCommand(o *ask.Options) *cobra.Command {
	list := queueList(o)
	c := ask.Noun("queue", "queues", "Queues: send messages, take and acknowledge them, one taker for each",
		queueCreate(o), list, queueDescribe(o), queueExplain(o), queueAlter(o), queueSend(o), queueTake(o),
		queueAnswer(o, "ack", "Acknowledge messages that were taken: they are done", "acknowledged"),
		queueNack(o), queueExtend(o),
		queueAnswer(o, "reject", "Make dead letters of messages that were taken", "rejected"),
		queueMove(o), queuePurge(o), queueDelete(o))
	return ask.PluralLists(c, list)
}

func queueList(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	var prefix string
	c := &cobra.Command{
		Use:   "list",
		Short: "List queues",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := &out.Table{Empty: "no queues yet: make one with \"ottla queue create NAME\"", Columns: []out.Column{
				{Field: "name", Title: "NAME"}, {Field: "topic", Title: "TOPIC"}, {Field: "fifo", Title: "FIFO"},
				{Field: "visibility", Title: "VISIBILITY", Right: true}, {Field: "retention", Title: "RETENTION", Right: true},
				{Field: "dead_letters", Title: "DEAD LETTERS"}, {Field: "arn"},
			}}
			query := q.Query()
			query.Set("prefix", prefix)
			return ask.PrintPages(cmd.Context(), o, t, q.HTTP, "cannot list queues", "/q", query, func(page *rest.Queues) string {
				for i := range page.Queues {
					x := &page.Queues[i]
					t.Add(x.Name, x.Topic, x.FIFO, ask.InWords(x.VisibilityMs), ask.InWords(x.RetentionMs), deadLettersOf(x), x.ARN)
				}
				return page.Next
			})
		},
	}
	q.Bind(c)
	c.Flags().StringVar(&prefix, "prefix", "", "only queues whose names begin so")
	return c
}

// deadLettersOf is where dead letters of a queue go; nil without such a place.
func deadLettersOf(x *rest.Queue) any {
	if x.DeadLetter == nil {
		return nil
	}
	return x.DeadLetter.Queue.Name + " after " + strconv.Itoa(int(x.DeadLetter.MaxReceives))
}

func queueDescribe(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a queue: what it is told to be, and how many messages are where",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x rest.Queue
			if err := o.Ask(cmd.Context(), q.HTTP, "cannot describe queue "+args[0], http.MethodGet, ask.QueuePath(args[0]), q.Query(), nil, &x); err != nil {
				return err
			}
			return o.Print(queueTable(&x))
		},
	}
	q.Bind(c)
	return c
}

func queueTable(x *rest.Queue) *out.Table {
	t := &out.Table{One: true, Columns: []out.Column{
		{Field: "name", Title: "NAME"}, {Field: "topic", Title: "TOPIC"}, {Field: "adopted"}, {Field: "group", Title: "GROUP"}, {Field: "fifo", Title: "FIFO"},
		{Field: "content_deduplication"}, {Field: "visibility_ms"}, {Field: "visibility", Title: "VISIBILITY"}, {Field: "delay_ms"}, {Field: "delay", Title: "DELAY"},
		{Field: "retention_ms"}, {Field: "retention", Title: "RETENTION"}, {Field: "max_message_bytes", Title: "MAX MESSAGE BYTES"},
		{Field: "dead_letters", Title: "DEAD LETTERS"}, {Field: "waiting", Title: "WAITING"}, {Field: "in_flight", Title: "IN FLIGHT"},
		{Field: "delayed", Title: "DELAYED"}, {Field: "dead", Title: "DEAD"}, {Field: "oldest_seconds"}, {Field: "oldest", Title: "OLDEST"}, {Field: "arn", Title: "ARN"},
	}}
	var waiting, flying, delayed, dead, seconds, oldest any
	if c := x.Counts; c != nil {
		waiting, flying, delayed, dead = c.Waiting, c.InFlight, c.Delayed, c.Dead
		if c.OldestMs >= 0 {
			d := time.Duration(c.OldestMs) * time.Millisecond
			seconds, oldest = d.Seconds(), ask.Age(d)
		}
	}
	t.Add(x.Name, x.Topic, x.Adopted, x.Group, x.FIFO, x.ContentDedup, x.VisibilityMs, ask.InWords(x.VisibilityMs), x.DelayMs, ask.InWords(x.DelayMs),
		x.RetentionMs, ask.InWords(x.RetentionMs), x.MaxMessageBytes, deadLettersOf(x), waiting, flying, delayed, dead, seconds, oldest, x.ARN)
	return t
}

func queuePurge(o *ask.Options) *cobra.Command {
	return queueEnd(o, "purge", "Delete all messages of a queue, those that are out too", http.MethodPost, "purged", "purge")
}

func queueDelete(o *ask.Options) *cobra.Command {
	return queueEnd(o, "delete", "Delete a queue with its messages; an adopted topic stays", http.MethodDelete, "deleted")
}

// queueEnd is a command that ends something, after asking.
func queueEnd(o *ask.Options, verb, short, method, done string, path ...string) *cobra.Command {
	var q ask.QueueFlags
	var yes, dryRun bool
	c := &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			what := "cannot " + verb + " queue " + args[0]
			var x rest.Queue
			if err := o.Ask(cmd.Context(), q.HTTP, what, http.MethodGet, ask.QueuePath(args[0]), q.Query(), nil, &x); err != nil {
				return err
			}
			total := int64(0)
			if x.Counts != nil {
				total = x.Counts.Waiting + x.Counts.InFlight + x.Counts.Delayed
			}
			table := func(result string) *out.Table {
				t := &out.Table{Columns: []out.Column{{Field: "name", Title: "NAME"}, {Field: "messages", Title: "MESSAGES", Right: true}, {Field: "result", Title: "RESULT"}}}
				t.Add(x.Name, total, result)
				return t
			}
			goOn, err := o.Agreed(dryRun, yes, verb+" "+x.Name+" with "+ask.CountWord(total, "message")+"?", func(string) *out.Table { return table("would be " + done) })
			if err != nil || !goOn {
				return err
			}
			if err := o.Ask(cmd.Context(), q.HTTP, what, method, ask.QueuePath(args[0], path...), q.Query(), nil, nil); err != nil {
				return err
			}
			return o.Print(table(done))
		},
	}
	q.Bind(c)
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would go")
	return c
}
