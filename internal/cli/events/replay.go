package events

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/bus"
	"ottla/internal/event/letter"
	"ottla/internal/gateway/rest"
)

// ReplayCommand is the noun replay: events of an archive, once more.
func ReplayCommand(o *ask.Options) *cobra.Command {
	list := replayList(o)
	c := ask.Noun("replay", "replays", "Replays: events of a bus once more, for one rule, one target or a place of its own",
		replayStart(o), list, replayShow(o),
		replayTurn(o, "pause", "Let replays stay where they are", "paused"),
		replayTurn(o, "resume", "Let replays go on", "resumed"),
		replayTurn(o, "cancel", "End replays where they are", "cancelled"),
		ask.DeleteEach(o, "replay", "delete NAME...", "Forget replays; one that is not over ends where it is"))
	return ask.PluralLists(c, list)
}

func replayPath(name string) string {
	return native.Path("replay", name)
}

// replayFlags are what is to be read again, and for whom.
type replayFlags struct {
	ask.PlaceFlags
	name, archive, from, to, target, place, rate, description string
	rules                                                     []string
	wait                                                      bool
}

func replayStart(o *ask.Options) *cobra.Command {
	var r replayFlags
	c := &cobra.Command{
		Use:   "start BUS",
		Short: "Give events of a bus again, in their order, to its rules or elsewhere",
		Long: "Give the events that were put into a bus between --from and --to again, in their order: to all of\n" +
			"its rules, or to --rule, to one --target of a rule, or --to-place. Others see nothing of it. In\n" +
			"EventBridge's envelope they have the replay's name. The command waits until all are there,\n" +
			"unless --wait=false; docs/events/buses.md tells the rest.",
		Example: "  ottla replay start shop --from 1h --rule billing-v2 --rate 500/s\n" +
			"  ottla replay start shop --from 2026-11-26T09:00:00Z --to 2026-11-26T10:00:00Z --target big-orders/crm\n" +
			"  ottla replay start shop --from 7d --to-place topic:again --name again",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			now := time.Now()
			spec := bus.ReplaySpec{
				Bus: bus.Ref{Account: r.Account, Region: r.Region, Name: args[0]}, Archive: r.archive, Rules: r.rules, Target: r.target, To: r.place, Description: r.description,
			}
			var err error
			if spec.FromMs, err = momentOrAge("--from", r.from, now); err != nil {
				return err
			}
			if spec.ToMs, err = momentOrAge("--to", r.to, now); err != nil {
				return err
			}
			if r.rate != "" {
				if spec.Rate, err = rateOf(r.rate); err != nil {
					return err
				}
			}
			if r.name == "" {
				r.name = fmt.Sprintf("%s-%s", now.UTC().Format("20060102-150405.000"), idOf(args[0]))
			}
			var x rest.Replay
			if err := o.Ask(cmd.Context(), r.HTTP, "cannot replay bus "+args[0], http.MethodPut, replayPath(r.name), r.Query(), spec, &x); err != nil {
				return err
			}
			if r.wait {
				if err := awaitReplay(cmd.Context(), o, &r, &x); err != nil {
					return err
				}
			}
			return o.Print(replayTable(&x))
		},
	}
	r.Bind(c)
	f := c.Flags()
	f.StringVar(&r.name, "name", "", "name of the replay (the time and the bus)")
	f.StringVar(&r.archive, "archive", "", "archive whose events are read (those of the bus)")
	f.StringVar(&r.from, "from", "", "events put since then: a time, as 2026-11-26T09:00:00Z, or 1h (-1h too) for an hour ago (all that are there)")
	f.StringVar(&r.to, "to", "", "and before then (now)")
	f.StringArrayVar(&r.rules, "rule", nil, "rule that gets those that it takes, may be repeated (all)")
	f.StringVar(&r.target, "target", "", "one target alone, as RULE/ID")
	f.StringVar(&r.place, "to-place", "", "a place that gets all, in place of rules: topic:NAME, queue:NAME, bus:NAME, a URL …")
	f.StringVar(&r.rate, "rate", "", "events a second at most, as 500/s")
	f.StringVar(&r.description, "description", "", "what it is for")
	f.BoolVar(&r.wait, "wait", true, "wait until it is over; to end the command does not end the replay")
	return c
}

// idOf is a bus's name as part of a replay's.
func idOf(name string) string {
	if id := targetID(":"+name, 0, map[string]bool{}); len(id) <= 40 {
		return id
	}
	return "bus"
}

// momentOrAge reads a time with its zone, or how long ago it was; 0 for none.
func momentOrAge(flag, text string, now time.Time) (int64, error) {
	if text == "now" {
		return now.UnixMilli(), nil
	}
	if d, err := letter.Duration(strings.TrimPrefix(text, "-")); text != "" && err == nil {
		return now.Add(-d).UnixMilli(), nil
	}
	ms, err := ask.Moment(flag, text)
	if err != nil {
		return 0, fail.Usagef("%s %s: want a time with its zone, as 2026-12-01T00:00:00Z, or how long ago, as 1h", flag, text)
	}
	return ms, nil
}

// watchPause is how long it is waited between two looks at a replay.
const watchPause = 200 * time.Millisecond

// awaitReplay looks at a replay until it is over, and tells people how far it is.
func awaitReplay(ctx context.Context, o *ask.Options, r *replayFlags, x *rest.Replay) error {
	told := int64(-1)
	for {
		if err := o.Ask(ctx, r.HTTP, "cannot tell how far replay "+r.name+" is", http.MethodGet, replayPath(r.name), r.Query(), nil, x); err != nil {
			return err
		}
		switch x.State {
		case bus.Completed:
			return nil
		case bus.Cancelled:
			return fail.New(fail.Partly, "replay "+r.name+" was cancelled", fmt.Sprintf("%d events were given until then", x.Events), "")
		}
		if x.Events != told && !o.Machine() {
			told = x.Events
			fmt.Fprintf(o.Err, "%s: %d events, %d of %d records\n", r.name, x.Events, x.Read, x.Of)
		}
		select {
		case <-ctx.Done():
			return fail.New(fail.TimedOut, "replay "+r.name+" goes on", ctx.Err().Error(), "see \"ottla replay show "+r.name+"\"")
		case <-time.After(watchPause):
		}
	}
}

func replayTable(x *rest.Replay) *out.Table {
	t := &out.Table{One: true, Columns: replayColumns()}
	addReplay(t, x)
	return t
}

func replayColumns() []out.Column {
	return []out.Column{
		{Field: "name", Title: "REPLAY"}, {Field: "bus", Title: "BUS"}, {Field: "state", Title: "STATE"}, {Field: "for", Title: "FOR"},
		{Field: "from", Title: "FROM"}, {Field: "to", Title: "TO"}, {Field: "events", Title: "EVENTS", Right: true}, {Field: "read", Title: "READ", Right: true},
		{Field: "of", Title: "OF", Right: true}, {Field: "rate"}, {Field: "archive"}, {Field: "description"}, {Field: "started"}, {Field: "ended"}, {Field: "arn"},
	}
}

func addReplay(t *out.Table, x *rest.Replay) {
	whom := "all rules"
	switch {
	case x.To != "":
		whom = x.To
	case x.Target != "":
		whom = "target " + x.Target
	case len(x.Rules) > 0:
		whom = fmt.Sprint("rules ", x.Rules)
		if len(x.Rules) == 1 {
			whom = "rule " + x.Rules[0]
		}
	}
	t.Add(x.Name, x.Bus.Name, x.State, whom, ask.TimeOf(x.FromMs), ask.TimeOf(x.ToMs), x.Events, x.Read, x.Of, x.Rate, ask.OrNil(x.Archive), ask.OrNil(x.Description),
		ask.TimeOf(x.StartedMs), ask.TimeOf(x.EndedMs), x.ARN)
}

func replayList(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var prefix string
	c := &cobra.Command{
		Use:   "list",
		Short: "List replays, and how far they are",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := &out.Table{Empty: "no replays", Columns: replayColumns()}
			query := p.Query()
			query.Set("prefix", prefix)
			return ask.PrintPages(cmd.Context(), o, t, p.HTTP, "cannot list replays", "/replay", query, func(page *rest.Replays) string {
				for i := range page.Replays {
					addReplay(t, &page.Replays[i])
				}
				return page.Next
			})
		},
	}
	p.Bind(c)
	c.Flags().StringVar(&prefix, "prefix", "", "only replays whose names begin so")
	return c
}

func replayShow(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a replay, and how far it is",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x rest.Replay
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot show replay "+args[0], http.MethodGet, replayPath(args[0]), p.Query(), nil, &x); err != nil {
				return err
			}
			return o.Print(replayTable(&x))
		},
	}
	p.Bind(c)
	return c
}

// replayTurn is a command that turns one thing of each replay it names.
func replayTurn(o *ask.Options, verb, short, done string) *cobra.Command {
	return ask.OrderEach(o, "replay", verb+" NAME...", verb, short, done, http.MethodPost, verb)
}
