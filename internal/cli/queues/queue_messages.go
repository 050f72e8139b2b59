package queues

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/gateway/rest"
)

func queueSend(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	var group, dedup, delay string
	var attributes []string
	c := &cobra.Command{
		Use:   "send NAME [BODY]",
		Short: "Send a message, or each line of standard input as one",
		Example: "  ottla queue send billing '{\"order\":17}' --attribute kind=invoice --delay 10m\n" +
			"  ottla queue send orders.fifo paid --message-group customer-4\n  cat lines | ottla queue send work",
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			like := rest.Message{Group: group, Dedup: dedup}
			for _, a := range attributes {
				key, value, ok := strings.Cut(a, "=")
				if !ok || key == "" {
					return fail.Usagef("--attribute %s: want NAME=VALUE", a)
				}
				if like.Attributes == nil {
					like.Attributes = map[string]rest.Attribute{}
				}
				like.Attributes[key] = rest.Attribute{Value: value}
			}
			if cmd.Flags().Changed("delay") {
				ms, err := ask.Milliseconds("delay", delay)
				if err != nil {
					return err
				}
				like.DelayMs = &ms
			}
			if len(args) == 2 {
				like.Base64 = []byte(args[1])
				return sendAll(cmd.Context(), o, &q, args[0], []rest.Message{like})
			}
			return sendLines(cmd.Context(), o, &q, args[0], like, o.In)
		},
	}
	q.Bind(c)
	f := c.Flags()
	f.StringVar(&group, "message-group", "", "message group (FIFO queues need one)")
	f.StringVar(&dedup, "deduplication-id", "", "drops the message if one of that id came within five minutes (FIFO)")
	f.StringVar(&delay, "delay", "", "how long nobody can take it (at most 15m)")
	f.StringArrayVar(&attributes, "attribute", nil, "an attribute as NAME=VALUE, may be repeated")
	return c
}

// sendLines sends each line as a message like another.
func sendLines(ctx context.Context, o *ask.Options, q *ask.QueueFlags, name string, like rest.Message, in io.Reader) error {
	lines := bufio.NewReader(in)
	var some []rest.Message
	for {
		line, err := lines.ReadString('\n')
		if text := strings.TrimSuffix(line, "\n"); text != "" || err == nil {
			m := like
			m.Base64 = []byte(text)
			some = append(some, m)
		}
		if len(some) == ask.SendAtOnce || err != nil && len(some) > 0 {
			if err := sendAll(ctx, o, q, name, some); err != nil {
				return err
			}
			some = some[:0]
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read messages: %w", err)
		}
	}
}

func sendAll(ctx context.Context, o *ask.Options, q *ask.QueueFlags, name string, messages []rest.Message) error {
	what := "cannot send to queue " + name
	var got rest.AllSent
	if err := o.Ask(ctx, q.HTTP, what, http.MethodPost, ask.QueuePath(name, "batch"), q.Query(), rest.Messages{Messages: messages}, &got); err != nil {
		return err
	}
	t := &out.Table{Columns: []out.Column{{Field: "id", Title: "ID"}, {Field: "sequence", Title: "SEQUENCE"}}}
	var failures []error
	for _, s := range got.Sent {
		if s.Error != nil {
			failures = append(failures, fail.New(fail.Failed, what, s.Error.Message, s.Error.Hint))
			continue
		}
		t.Add(s.ID, ask.OrNil(s.Sequence))
	}
	return o.PrintPartly(t, failures)
}

func queueTake(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	var most int
	var wait, hold string
	var ack bool
	c := &cobra.Command{
		Use:   "take NAME",
		Short: "Take messages: nobody else gets them before their time is over",
		Long: "Take messages. Who took one acknowledges it by its receipt (ottla queue ack), gives it back\n" +
			"(nack) or holds it longer (extend); after the time of --for somebody else may get it.",
		Example: "  ottla queue take billing --wait 20s --for 1m\n  ottla queue take billing -n 10 --ack -o ndjson",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := q.Query()
			query.Set("max", strconv.Itoa(most))
			ctx := cmd.Context()
			for _, d := range []struct{ flag, text, parameter string }{{"wait", wait, "wait"}, {"for", hold, "visibility"}} {
				if !cmd.Flags().Changed(d.flag) {
					continue
				}
				ms, err := ask.Milliseconds(d.flag, d.text)
				if err != nil {
					return err
				}
				query.Set(d.parameter, (time.Duration(ms) * time.Millisecond).String())
			}
			var got rest.AllTaken
			if err := o.Ask(ctx, q.HTTP, "cannot take from queue "+args[0], http.MethodPost, ask.QueuePath(args[0], "take"), query, nil, &got); err != nil {
				return err
			}
			if err := o.Print(takenTable(got.Messages, time.Now(), o.Format == "table")); err != nil || !ack || len(got.Messages) == 0 {
				return err
			}
			var receipts []string
			for i := range got.Messages {
				receipts = append(receipts, got.Messages[i].Receipt)
			}
			return settle(ctx, o, &q, args[0], "ack", "acknowledged", rest.Receipts{Receipts: receipts}, false)
		},
	}
	q.Bind(c)
	c.Flags().IntVarP(&most, "number", "n", 1, "how many at most")
	c.Flags().StringVar(&wait, "wait", "", "how long to wait for the first (the queue's wait; at most 20s)")
	c.Flags().StringVar(&hold, "for", "", "how long they stay with you (the queue's visibility)")
	c.Flags().BoolVar(&ack, "ack", false, "acknowledge them when they have been printed")
	return c
}

// takenTable has a row for each message; for people, bodies are cut.
func takenTable(all []rest.Taken, now time.Time, people bool) *out.Table {
	t := &out.Table{Empty: "no messages", Columns: []out.Column{
		{Field: "id"}, {Field: "body", Title: "BODY"}, {Field: "body_base64"}, {Field: "group", Title: "GROUP"}, {Field: "count", Title: "COUNT", Right: true},
		{Field: "sent_ms"}, {Field: "age", Title: "AGE", Right: true}, {Field: "attributes"}, {Field: "dedup"}, {Field: "sequence"}, {Field: "dead_letter_of"}, {Field: "receipt", Title: "RECEIPT"},
	}}
	for i := range all {
		m := &all[i]
		body := ask.Pointed(m.Body)
		if people && m.Body != nil {
			body = shortly([]byte(*m.Body))
		}
		var raw any
		if m.Base64 != nil {
			raw = m.Base64
		}
		attributes := m.Attributes
		if attributes == nil {
			attributes = map[string]rest.Attribute{}
		}
		t.Add(m.ID, body, raw, ask.OrNil(m.Group), m.Count, m.SentMs, ask.Age(max(0, now.Sub(time.UnixMilli(m.SentMs)))), attributes,
			ask.OrNil(m.Dedup), ask.OrNil(m.Sequence), ask.OrNil(m.DeadLetterOf), m.Receipt)
	}
	return t
}

// queueAnswer is a command that says one thing of receipts.
func queueAnswer(o *ask.Options, verb, short, done string) *cobra.Command {
	var q ask.QueueFlags
	c := &cobra.Command{
		Use:   verb + " NAME RECEIPT...",
		Short: short,
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return settle(cmd.Context(), o, &q, args[0], verb, done, rest.Receipts{Receipts: args[1:]}, true)
		},
	}
	q.Bind(c)
	return c
}

func queueNack(o *ask.Options) *cobra.Command {
	return queueTimed(o, "nack", "Give messages back that were taken, at once or later", "given back", "delay", "how long nobody can take them (as the queue's backoff says)",
		func(r *rest.Receipts, ms int64) { r.DelayMs = &ms })
}

func queueExtend(o *ask.Options) *cobra.Command {
	return queueTimed(o, "extend", "Hold messages longer that were taken", "extended", "for", "how long, from now (the queue's visibility)",
		func(r *rest.Receipts, ms int64) { r.ForMs = &ms })
}

// queueTimed is a command that says something of receipts, with a time.
func queueTimed(o *ask.Options, verb, short, done, flag, help string, put func(*rest.Receipts, int64)) *cobra.Command {
	var q ask.QueueFlags
	var text string
	c := &cobra.Command{
		Use:   verb + " NAME RECEIPT...",
		Short: short,
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			body := rest.Receipts{Receipts: args[1:]}
			if cmd.Flags().Changed(flag) {
				ms, err := ask.Milliseconds(flag, text)
				if err != nil {
					return err
				}
				put(&body, ms)
			}
			return settle(cmd.Context(), o, &q, args[0], verb, done, body, true)
		},
	}
	q.Bind(c)
	c.Flags().StringVar(&text, flag, "", help)
	return c
}

// settle says something of receipts, and prints what became of them.
func settle(ctx context.Context, o *ask.Options, q *ask.QueueFlags, name, verb, done string, body rest.Receipts, shows bool) error {
	what := "cannot " + verb + " messages of queue " + name
	var got rest.Results
	if err := o.Ask(ctx, q.HTTP, what, http.MethodPost, ask.QueuePath(name, verb), q.Query(), body, &got); err != nil {
		return err
	}
	t := &out.Table{Columns: []out.Column{{Field: "receipt", Title: "RECEIPT"}, {Field: "result", Title: "RESULT"}}}
	var failures []error
	for _, r := range got.Results {
		if r.Error != nil {
			failures = append(failures, fail.New(fail.Failed, what, r.Error.Message, r.Error.Hint))
			continue
		}
		t.Add(r.Receipt, done)
	}
	if !shows && len(failures) == 0 {
		return nil
	}
	return o.PrintPartly(t, failures)
}
