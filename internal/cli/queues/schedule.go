package queues

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/schedule"
	"ottla/internal/gateway/rest"
)

// scheduleFlags are what all commands of schedules take.
type scheduleFlags struct{ http, group string }

func (s *scheduleFlags) bind(c *cobra.Command) {
	ask.BindHTTP(c.Flags(), &s.http)
	c.Flags().StringVar(&s.group, "group", schedule.DefaultGroup, "group of the schedule")
}

// ScheduleCommand is the noun schedule.
func ScheduleCommand(o *ask.Options) *cobra.Command {
	list := scheduleList(o)
	c := ask.Noun("schedule", "schedules", "Have records, messages or calls come at a time, or again and again",
		schedulePut(o), list, scheduleShow(o), scheduleDelete(o), schedulePause(o), scheduleResume(o), scheduleNext(o))
	return ask.PluralLists(c, list)
}

func (s *scheduleFlags) path(name string, more ...string) string {
	return native.Path(append([]string{"schedule", s.group, name}, more...)...)
}

// mostRuns is how many next runs are shown.
const mostRuns = 10

func scheduleList(o *ask.Options) *cobra.Command {
	var s scheduleFlags
	var prefix string
	c := &cobra.Command{
		Use:   "list",
		Short: "List schedules with their next runs",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := &out.Table{Empty: "no schedules", Columns: []out.Column{
				{Field: "name", Title: "NAME"}, {Field: "group", Title: "GROUP"}, {Field: "expression", Title: "EXPRESSION"}, {Field: "zone", Title: "ZONE"},
				{Field: "state", Title: "STATE"}, {Field: "target", Title: "TARGET"}, {Field: "next", Title: "NEXT RUN"},
			}}
			query := url.Values{"prefix": {prefix}}
			if cmd.Flags().Changed("group") || prefix != "" {
				query.Set("group", s.group)
			}
			return ask.PrintPages(cmd.Context(), o, t, s.http, "cannot list schedules", "/schedule", query, func(page *rest.Schedules) string {
				for _, d := range page.Schedules {
					t.Add(d.Name, d.Group, d.Expression, zoneName(d.Zone), scheduleState(d.Spec), targetOf(d.Target), nextOf(d.Spec))
				}
				return page.Next
			})
		},
	}
	s.bind(c)
	c.Flags().StringVar(&prefix, "prefix", "", "only names of the group that begin so")
	return c
}

func zoneName(zone string) string {
	if zone == "" {
		return "UTC"
	}
	return zone
}

func scheduleState(s schedule.Spec) string {
	if s.Paused {
		return "paused"
	}
	return "enabled"
}

// targetOf is a target in one word.
func targetOf(t schedule.Target) string {
	switch {
	case t.Topic != "":
		return "topic " + t.Topic
	case t.Queue != "":
		return "queue " + t.Queue
	case t.Bus != "":
		return "bus " + t.Bus
	case t.SNS != "":
		return "sns " + t.SNS
	case t.Function != "":
		return "function " + t.Function
	}
	return strings.TrimPrefix(t.Method+" ", "POST ") + t.URL
}

// nextOf is the next run as this machine's clock has it; nil for none.
func nextOf(s schedule.Spec) any {
	runs, err := s.Runs(time.Now(), 1)
	if err != nil || len(runs) == 0 {
		return nil
	}
	return runs[0].Format(time.RFC3339)
}

func scheduleShow(o *ask.Options) *cobra.Command {
	var s scheduleFlags
	c := &cobra.Command{
		Use:   "show NAME",
		Short: "Show a schedule: what it is told to be, and its next ten runs",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var d rest.Schedule
			if err := o.Ask(cmd.Context(), s.http, "cannot show schedule "+args[0], http.MethodGet, s.path(args[0]), nil, nil, &d); err != nil {
				return err
			}
			if o.Format != "table" {
				return o.Print(scheduleTable(d))
			}
			if err := o.Print(scheduleTable(d)); err != nil {
				return err
			}
			return showRuns(cmd.Context(), o, &s, args[0], mostRuns)
		},
	}
	s.bind(c)
	return c
}

// scheduleTable is all of a schedule for programs, and the gist for people.
func scheduleTable(d rest.Schedule) *out.Table {
	t := &out.Table{One: true, Columns: []out.Column{
		{Field: "name", Title: "NAME"}, {Field: "group", Title: "GROUP"}, {Field: "expression", Title: "EXPRESSION"}, {Field: "zone", Title: "ZONE"},
		{Field: "state", Title: "STATE"}, {Field: "to", Title: "TARGET"}, {Field: "missed", Title: "MISSED"}, {Field: "retries", Title: "RETRIES", Right: true},
		{Field: "dead_letters", Title: "DEAD LETTERS"}, {Field: "window_ms"}, {Field: "start"}, {Field: "end"}, {Field: "delete_after"}, {Field: "description"},
		{Field: "arn"}, {Field: "target"}, {Field: "created"}, {Field: "modified"},
	}}
	t.Add(d.Name, d.Group, d.Expression, zoneName(d.Zone), scheduleState(d.Spec), targetOf(d.Target), string(d.Missed), retriesOf(d.Retry),
		ask.OrNil(d.DeadLetters), d.WindowMs, ask.TimeOf(d.StartMs), ask.TimeOf(d.EndMs), d.DeleteAfter, ask.OrNil(d.Description),
		d.ARN, d.Target, ask.TimeOf(d.CreatedMs), ask.TimeOf(d.ModifiedMs))
	return t
}

func retriesOf(r schedule.Retry) any {
	if r.Retries == nil {
		return nil
	}
	return *r.Retries
}

func scheduleNext(o *ask.Options) *cobra.Command {
	var s scheduleFlags
	n := mostRuns
	c := &cobra.Command{
		Use:   "next NAME",
		Short: "Show the next runs of a schedule",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return showRuns(cmd.Context(), o, &s, args[0], n)
		},
	}
	s.bind(c)
	c.Flags().IntVarP(&n, "count", "n", mostRuns, "how many runs, 1000 at most")
	return c
}

// showRuns shows the next runs of a schedule.
func showRuns(ctx context.Context, o *ask.Options, s *scheduleFlags, name string, n int) error {
	var runs rest.Runs
	query := url.Values{"count": {strconv.Itoa(n)}}
	if err := o.Ask(ctx, s.http, "cannot tell the next runs of "+name, http.MethodGet, s.path(name, "next"), query, nil, &runs); err != nil {
		return err
	}
	return o.Print(runsTable(runs.Runs, time.Now()))
}

func runsTable(runs []time.Time, now time.Time) *out.Table {
	t := &out.Table{Empty: "no runs to come", Columns: []out.Column{
		{Field: "run", Title: "NEXT RUNS"}, {Field: "day", Title: "DAY"}, {Field: "utc", Title: "UTC"}, {Field: "in_seconds"}, {Field: "in", Title: "IN", Right: true},
	}}
	for _, r := range runs {
		in := max(0, r.Sub(now))
		t.Add(r.Format(time.RFC3339), r.Weekday().String()[:3], r.UTC().Format("2006-01-02 15:04:05"), in.Seconds(), ask.Age(in))
	}
	return t
}

func scheduleDelete(o *ask.Options) *cobra.Command {
	return scheduleChange(o, "delete", "Delete schedules, with their runs that wait to be tried again", "deleted", http.MethodDelete)
}

func schedulePause(o *ask.Options) *cobra.Command {
	return scheduleChange(o, "pause", "Let schedules run no more until they are resumed", "paused", http.MethodPost, "pause")
}

func scheduleResume(o *ask.Options) *cobra.Command {
	return scheduleChange(o, "resume", "Let schedules run again; what passed meanwhile is not made up for", "resumed", http.MethodPost, "resume")
}

// scheduleChange is a command that does one thing to each schedule it names.
func scheduleChange(o *ask.Options, verb, short, done, method string, more ...string) *cobra.Command {
	var s scheduleFlags
	c := &cobra.Command{
		Use:   verb + " NAME...",
		Short: short,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := &out.Table{Columns: []out.Column{{Field: "name", Title: "NAME"}, {Field: "group", Title: "GROUP"}, {Field: "result", Title: "RESULT"}}}
			return o.Each(t, args, func(name string) error {
				err := o.Ask(cmd.Context(), s.http, "cannot "+verb+" schedule "+name, method, s.path(name, more...), nil, nil, nil)
				if err != nil {
					return err
				}
				t.Add(name, s.group, done)
				return nil
			})
		},
	}
	s.bind(c)
	return c
}
