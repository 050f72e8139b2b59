package events

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/event/envelope"
)

type tailFlags struct {
	ask.QueueFlags
	pattern, from string
	where         []string
	count         int64
	exit          bool
}

func eventTail(o *ask.Options) *cobra.Command {
	var f tailFlags
	c := &cobra.Command{
		Use:   "tail BUS",
		Short: "Watch the events of a bus, or a topic, as they come",
		Long: "Watch events. Without --from those that come from now on; --from -10 shows the last ten of\n" +
			"each partition first; it takes start, end, an offset, a time (2026-11-26T16:00:00Z, @-10m)\n" +
			"and a cursor. --pattern is an event pattern, in EventBridge's words or CloudEvents'; --where\n" +
			"is a condition as `ottla dlq show` takes them. In a pipe, or with -o ndjson, each event is\n" +
			"one line, in CloudEvents' JSON format.",
		Example: "  ottla event tail shop --pattern '{\"type\":[\"OrderPlaced\"],\"data\":{\"total\":[{\"numeric\":[\">\",100]}]}}'\n" +
			"  ottla event tail shop --from @-1h --exit -o ndjson",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return tail(cmd.Context(), o, &f, args[0]) },
	}
	g := c.Flags()
	ask.BindHTTP(g, &f.HTTP)
	g.StringVar(&f.Account, "account", "", "account of the bus (default: 123456789012)")
	g.StringVar(&f.Region, "region", "", "region of the bus (default: us-east-1)")
	g.StringVar(&f.pattern, "pattern", "", "only events that fit this event pattern")
	g.StringVar(&f.from, "from", "", "where to begin (default: end; with --exit: start)")
	g.StringArrayVar(&f.where, "where", nil, "only events of which this holds, as data that has body.customer=7; may be repeated")
	g.Int64VarP(&f.count, "number", "n", 0, "stop after this many events (0: no limit)")
	g.BoolVarP(&f.exit, "exit", "e", false, "stop at the end instead of waiting for more")
	return c
}

// tail shows events until as many were shown as are wanted, or the context ends (which
// is no error: Ctrl-C).
func tail(ctx context.Context, o *ask.Options, f *tailFlags, name string) error {
	show, err := eventPrinter(o)
	if err != nil {
		return err
	}
	c, err := o.Native(ctx, f.HTTP)
	if err != nil {
		return err
	}
	q := f.Query()
	if f.pattern != "" {
		q.Set("pattern", f.pattern)
	}
	q["where"] = f.where
	if f.from != "" {
		q.Set("from", f.from)
	}
	w := bufio.NewWriterSize(o.Out, 64<<10)
	shown := int64(0)
	each := func(event []byte) (more bool, err error) {
		if err := show(w, event); err != nil {
			return false, err
		}
		shown++
		return f.count == 0 || shown < f.count, nil
	}
	if f.exit {
		err = pages(ctx, c, name, q, each)
	} else {
		err = follow(ctx, c, name, q, each, w.Flush)
	}
	if flushErr := w.Flush(); err == nil {
		err = flushErr
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// pages gives the events that are there.
func pages(ctx context.Context, c *native.Client, name string, q url.Values, each func([]byte) (bool, error)) error {
	what := "cannot read events of " + name
	q.Set("max", "1000")
	for {
		resp, err := c.Open(ctx, what, native.Path("ce", name), q, "application/cloudevents-batch+json")
		if err != nil {
			return err
		}
		var events []json.RawMessage
		err = json.NewDecoder(resp.Body).Decode(&events)
		resp.Body.Close()
		if err != nil {
			return fail.New(fail.Failed, what, "the answer ended early: "+err.Error(), "try again")
		}
		for _, e := range events {
			if more, err := each(e); err != nil || !more {
				return err
			}
		}
		next := resp.Header.Get("Ottla-Next")
		if len(events) == 0 && next == q.Get("from") || next == "" {
			return nil
		}
		q.Set("from", next)
	}
}

// mostLine bounds a line of a stream: an event of the largest kind in base64 is less.
const mostLine = 64 << 20

// follow gives the events as they come.
func follow(ctx context.Context, c *native.Client, name string, q url.Values, each func([]byte) (bool, error), flush func() error) error {
	what := "cannot watch the events of " + name
	resp, err := c.Open(ctx, what, native.Path("ce", name), q, "text/event-stream")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, mostLine)
	id, failed := "", false
	for lines.Scan() {
		field, value, _ := bytes.Cut(lines.Bytes(), []byte(": "))
		switch string(field) {
		case "id":
			id = string(value)
		case "event":
			failed = string(value) == "error"
		case "data":
			if failed {
				return fail.New(fail.Failed, what, string(value), goOn(name, id))
			}
			more, err := each(value)
			if err == nil {
				err = flush()
			}
			if err != nil || !more {
				return err
			}
		}
	}
	why := "the node ended the stream"
	if err := lines.Err(); err != nil && err != io.ErrUnexpectedEOF {
		why = err.Error()
	}
	return fail.New(fail.Unreachable, what, why, goOn(name, id))
}

func goOn(name, cursor string) string {
	if cursor == "" {
		return "try again"
	}
	return "go on with \"ottla event tail " + name + " --from " + cursor + "\""
}

// eventPrinter chooses how one event is shown.
func eventPrinter(o *ask.Options) (func(ask.Writer, []byte) error, error) {
	switch {
	case o.Format == "json", o.Format == "ndjson", o.Format == "table" && !ask.Terminal(o.Out):
		return func(w ask.Writer, event []byte) error {
			if _, err := w.Write(event); err != nil {
				return err
			}
			_, err := w.WriteString("\n")
			return err
		}, nil
	case o.Format == "table":
		return readableEvent, nil
	}
	return nil, fail.Usagef("-o %s is not for events: it takes table, json or ndjson", o.Format)
}

// readableEvent is the form for people: when, what and from where; then the data.
func readableEvent(w ask.Writer, text []byte) error {
	e, err := envelope.FromCloudEvent(text)
	if err != nil {
		return err
	}
	var b strings.Builder
	linef(&b, "%s  %s  from %s", e.Time, e.Type, e.Source)
	if e.Subject != "" {
		linef(&b, "  about %s", e.Subject)
	}
	linef(&b, "  id %s", e.ID)
	for _, x := range e.Extensions {
		linef(&b, "  %s=%s", x.Name, x.Value)
	}
	b.WriteByte('\n')
	if e.Data != nil {
		fmt.Fprintf(&b, "  %s\n", ask.Shown(e.Data))
	}
	_, err = w.WriteString(b.String())
	return err
}
