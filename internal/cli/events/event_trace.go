package events

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/letter"
	"ottla/internal/event/lookback"
)

func eventTrace(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var in, since string
	var last int
	c := &cobra.Command{
		Use:   "trace ID",
		Short: "Tell where an event went: rules, targets, calls, dead letters, what it caused",
		Long: "Tell of an event, by its id, on which buses it is, which rules take it, where each of their\n" +
			"targets is with it, which calls were made, whether it is a dead letter, and which events it\n" +
			"caused (those that name it by causationid or correlationid). What a rule published by SNS is\n" +
			"followed to the topic's subscriptions; so is a message that was published there itself, by its\n" +
			"id. It is looked for among the last events of each bus. Rules are as they are now; one that was\n" +
			"changed after the event came is marked.",
		Example: "  ottla event trace 6f1c…\n  ottla event trace 6f1c… --bus shop --since 1h --last 1000000 -o json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if args[0] == "" {
				return fail.Usagef("which event? give its id")
			}
			query := p.Query()
			if in != "" {
				query.Set("bus", in)
			}
			if since != "" {
				d, err := letter.Duration(since)
				if err != nil {
					return fail.Usagef("--since %v", err)
				}
				query.Set("since", d.String())
			}
			query.Set("last", strconv.Itoa(last))
			var t lookback.Trace
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot trace event "+args[0], http.MethodGet, native.Path("event", args[0]), query, nil, &t); err != nil {
				return lookFurther(err)
			}
			return showTrace(o, &t)
		},
	}
	p.Bind(c)
	f := c.Flags()
	f.StringVar(&in, "bus", "", "look in this bus, and where it forwarded the event to (default: all buses)")
	f.StringVar(&since, "since", "", "look at events that were put so long ago at most, as 1h or 7d")
	f.IntVar(&last, "last", lookback.DefaultLast, "how many events of each partition are looked at, 1000000 at most")
	return c
}

// lookFurther says how more is looked at in words of flags.
func lookFurther(err error) error {
	if f, ok := err.(*fail.Failure); ok && strings.HasPrefix(f.Next, "look at more events") {
		f.Next = "look at more events with --last (1000000 at most), or in another --bus"
	}
	return err
}

func showTrace(o *ask.Options, x *lookback.Trace) error {
	if o.Format == "table" {
		_, err := fmt.Fprint(o.Out, traceText(x))
		return err
	}
	t := &out.Table{One: true, Columns: []out.Column{{Field: "id"}, {Field: "found"}, {Field: "caused"}, {Field: "former"}, {Field: "read"}, {Field: "cut"}, {Field: "unread"}}}
	t.Add(x.ID, x.Found, x.Caused, x.Former, x.Read, x.Cut, x.Unread)
	return o.Print(t)
}

// traceText is a trace for people: what belongs to something stands below it.
func traceText(x *lookback.Trace) string {
	var b strings.Builder
	for i := range x.Found {
		foundText(&b, &x.Found[i])
	}
	if len(x.Former) > 0 {
		b.WriteString("calls of targets that are no more\n")
		for i := range x.Former {
			attemptText(&b, &x.Former[i], "  ")
		}
	}
	if len(x.Caused) > 0 {
		b.WriteString("caused\n")
	}
	for _, c := range x.Caused {
		linef(&b, "%s%s  %s from %s  on %s at %d@%d  %s  by %s\n", strings.Repeat("  ", c.Depth), c.ID, c.Type, c.Source, c.Bus, c.Partition, c.Offset, atMs(c.PutMs), c.By)
	}
	for _, what := range x.Unread {
		linef(&b, "not read: %s\n", what)
	}
	if x.Cut {
		b.WriteString("there is more than is told here\n")
	}
	return b.String()
}

func foundText(b *strings.Builder, f *lookback.Found) {
	on, taker := f.Bus, "rule"
	if f.SNS != "" {
		on, taker = "sns:"+f.SNS, "subscription"
	}
	linef(b, "on %s at %d@%d  %s", on, f.Partition, f.Offset, atMs(f.PutMs))
	switch {
	case f.SNS != "" && f.From != "":
		linef(b, "  published from %s as message %s", f.From, f.Message)
	case f.SNS != "":
	case f.From != "":
		linef(b, "  forwarded from %s", f.From)
	case f.Hops > 0:
		linef(b, "  forwarded %s", ask.CountWord(int64(f.Hops), "time"))
	}
	if f.Causation != "" {
		linef(b, "  caused by %s", f.Causation)
	}
	b.WriteByte('\n')
	for i := range f.Rules {
		r := &f.Rules[i]
		linef(b, "  %s %s%s\n", taker, r.Name, changedSince(r.Changed))
		for k := range r.Targets {
			targetText(b, &r.Targets[k])
		}
		if len(r.Targets) == 0 {
			b.WriteString("    it has no targets\n")
		}
	}
	if len(f.Rules) == 0 {
		linef(b, "  no %s takes it\n", taker)
	}
	for _, r := range f.Others {
		linef(b, "  not %s %s%s: %s\n", taker, r.Name, changedSince(r.Changed), r.Why)
	}
}

func changedSince(changed bool) string {
	if changed {
		return " (changed since)"
	}
	return ""
}

func targetText(b *strings.Builder, t *lookback.Target) {
	linef(b, "    %s  %s  %s", t.ID, t.To, t.State)
	if t.Why != "" {
		linef(b, ": %s", t.Why)
	}
	b.WriteByte('\n')
	for i := range t.Attempts {
		attemptText(b, &t.Attempts[i], "      ")
	}
	for _, l := range t.Letters {
		linef(b, "      dead letter in %s at %s  %s  %s: %s\n", l.Queue, l.Letter, atMs(l.AtMs), l.Code, l.Why)
	}
}

func attemptText(b *strings.Builder, a *lookback.Attempt, indent string) {
	linef(b, "%scall %d  %s  ", indent, a.Number, atMs(a.AtMs))
	if a.Target != "" {
		linef(b, "%s  ", formerTarget(a.Target))
	}
	if a.Status > 0 {
		linef(b, "%d ", a.Status)
	}
	linef(b, "in %d ms", a.TookMs)
	if a.Replay {
		b.WriteString("  of a replay")
	}
	if !a.OK {
		linef(b, "  %s: %s", a.Code, a.Why)
	}
	b.WriteByte('\n')
}

// formerTarget is BUS/RULE/TARGET of a target's key.
func formerTarget(key string) string {
	rule, rest, _ := strings.Cut(key, "#")
	return ruleName(rule) + rest[max(strings.LastIndexByte(rest, '/'), 0):]
}

func atMs(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
