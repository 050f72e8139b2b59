package cli

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/letter"
	"ottla/internal/gateway/rest"
)

// queueFlags are what all commands of queues take.
type queueFlags struct{ http, account, region string }

// bind gives a command these flags.
func (q *queueFlags) bind(c *cobra.Command) {
	c.Flags().StringVar(&q.http, "http", envOr("OTTLA_HTTP", ""), "HOST:PORT of a node's HTTP port (default: that of `ottla dev`)")
	c.Flags().StringVar(&q.account, "account", "", "account of the queue (default: 123456789012)")
	c.Flags().StringVar(&q.region, "region", "", "region of the queue (default: us-east-1)")
}

// query is the place of a queue.
func (q *queueFlags) query() url.Values {
	v := url.Values{}
	if q.account != "" {
		v.Set("account", q.account)
	}
	if q.region != "" {
		v.Set("region", q.region)
	}
	return v
}

// queuePath is where a queue is asked for, and what is below it.
func queuePath(name string, more ...string) string {
	return native.Path(append([]string{"q", name}, more...)...)
}

func queueCommand(o *options) *cobra.Command {
	list := queueList(o)
	c := group("queue", "queues", "Queues: send messages, take and acknowledge them, one taker for each",
		queueCreate(o), list, queueDescribe(o), queueExplain(o), queueAlter(o), queueSend(o), queueTake(o),
		queueAnswer(o, "ack", "Acknowledge messages that were taken: they are done", "acknowledged"),
		queueNack(o), queueExtend(o),
		queueAnswer(o, "reject", "Make dead letters of messages that were taken", "rejected"),
		queueMove(o), queuePurge(o), queueDelete(o))
	return pluralLists(c, list)
}

func queueList(o *options) *cobra.Command {
	var q queueFlags
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
			query := q.query()
			query.Set("prefix", prefix)
			err := eachPage(cmd.Context(), o, q.http, "cannot list queues", "/q", query, func(page *rest.Queues) string {
				for i := range page.Queues {
					x := &page.Queues[i]
					t.Add(x.Name, x.Topic, x.FIFO, inWords(x.VisibilityMs), inWords(x.RetentionMs), deadLettersOf(x), x.ARN)
				}
				return page.Next
			})
			if err != nil {
				return err
			}
			return o.print(t)
		},
	}
	q.bind(c)
	c.Flags().StringVar(&prefix, "prefix", "", "only queues whose names begin so")
	return c
}

const dayMs = 24 * 3600_000

// inWords is a time in milliseconds for people, as they write it: 30s, 1h30m, 4d; nil
// for none.
func inWords(ms int64) any {
	if ms == 0 {
		return nil
	}
	if ms%dayMs == 0 {
		return days(ms / dayMs)
	}
	text := (time.Duration(ms) * time.Millisecond).String()
	if short, ok := strings.CutSuffix(text, "m0s"); ok {
		text = short + "m"
	}
	if short, ok := strings.CutSuffix(text, "h0m"); ok {
		text = short + "h"
	}
	return text
}

// deadLettersOf is where dead letters of a queue go; nil without such a place.
func deadLettersOf(x *rest.Queue) any {
	if x.DeadLetter == nil {
		return nil
	}
	return x.DeadLetter.Queue.Name + " after " + strconv.Itoa(int(x.DeadLetter.MaxReceives))
}

func queueDescribe(o *options) *cobra.Command {
	var q queueFlags
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a queue: what it is told to be, and how many messages are where",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x rest.Queue
			if err := o.ask(cmd.Context(), q.http, "cannot describe queue "+args[0], http.MethodGet, queuePath(args[0]), q.query(), nil, &x); err != nil {
				return err
			}
			return o.print(queueTable(&x))
		},
	}
	q.bind(c)
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
			seconds, oldest = d.Seconds(), age(d)
		}
	}
	t.Add(x.Name, x.Topic, x.Adopted, x.Group, x.FIFO, x.ContentDedup, x.VisibilityMs, inWords(x.VisibilityMs), x.DelayMs, inWords(x.DelayMs),
		x.RetentionMs, inWords(x.RetentionMs), x.MaxMessageBytes, deadLettersOf(x), waiting, flying, delayed, dead, seconds, oldest, x.ARN)
	return t
}

func queuePurge(o *options) *cobra.Command {
	return queueEnd(o, "purge", "Delete all messages of a queue, those that are out too", http.MethodPost, "purged", "purge")
}

func queueDelete(o *options) *cobra.Command {
	return queueEnd(o, "delete", "Delete a queue with its messages; an adopted topic stays", http.MethodDelete, "deleted")
}

// queueEnd is a command that ends something, after asking.
func queueEnd(o *options, verb, short, method, done string, path ...string) *cobra.Command {
	var q queueFlags
	var yes, dryRun bool
	c := &cobra.Command{
		Use:   verb + " NAME",
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			what := "cannot " + verb + " queue " + args[0]
			var x rest.Queue
			if err := o.ask(cmd.Context(), q.http, what, http.MethodGet, queuePath(args[0]), q.query(), nil, &x); err != nil {
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
			goOn, err := o.agreed(dryRun, yes, verb+" "+x.Name+" with "+countWord(total, "message")+"?", func(string) *out.Table { return table("would be " + done) })
			if err != nil || !goOn {
				return err
			}
			if err := o.ask(cmd.Context(), q.http, what, method, queuePath(args[0], path...), q.query(), nil, nil); err != nil {
				return err
			}
			return o.print(table(done))
		},
	}
	q.bind(c)
	c.Flags().BoolVarP(&yes, "yes", "y", false, "do not ask")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would go")
	return c
}

// milliseconds reads a duration flag.
func milliseconds(flag, text string) (int64, error) {
	d, err := letter.Duration(text)
	if err != nil {
		return 0, fail.Usagef("--%s %s: want a number with its unit, as in 30s or 4d", flag, text)
	}
	return d.Milliseconds(), nil
}
