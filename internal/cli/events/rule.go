package events

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/gateway/rest"
)

// ruleFlags are what commands of one bus's rules take.
type ruleFlags struct {
	ask.PlaceFlags
	bus string
}

func (r *ruleFlags) bind(c *cobra.Command) {
	r.PlaceFlags.Bind(c)
	c.Flags().StringVar(&r.bus, "bus", "default", "bus of the rule")
}

func (r *ruleFlags) path(rule string, more ...string) string {
	return ask.BusPath(r.bus, append([]string{"rules", rule}, more...)...)
}

// RuleCommand is the noun rule: which events go where.
func RuleCommand(o *ask.Options) *cobra.Command {
	list := ruleList(o)
	c := ask.Noun("rule", "rules", "Rules: which events of a bus go where",
		rulePut(o), list, ruleDescribe(o),
		ruleTurn(o, "enable", "Let rules take events from now on", "enabled"),
		ruleTurn(o, "disable", "Let events pass rules by", "disabled"),
		ruleTurn(o, "pause", "Keep the events of rules until they are resumed", "paused"),
		ruleTurn(o, "resume", "Let paused rules go on where they were", "resumed"),
		ruleDelete(o), ruleExplain(o), ruleTry(o))
	return ask.PluralLists(c, list)
}

// rulesOf are the rules of a bus.
func rulesOf(ctx context.Context, o *ask.Options, p *ask.PlaceFlags, bus, prefix string) (all []rest.Rule, err error) {
	query := p.Query()
	query.Set("prefix", prefix)
	err = ask.EachPage(ctx, o, p.HTTP, "cannot list rules of bus "+bus, ask.BusPath(bus, "rules"), query, func(page *rest.Rules) string {
		all = append(all, page.Rules...)
		return page.Next
	})
	return all, err
}

func rulesTable(rules []rest.Rule) *out.Table {
	t := &out.Table{Empty: "no rules yet: make one with \"ottla rule put NAME --pattern … --to …\"", Columns: []out.Column{
		{Field: "name", Title: "RULE"}, {Field: "bus", Title: "BUS"}, {Field: "state", Title: "STATE"}, {Field: "takes", Title: "TAKES"}, {Field: "targets", Title: "TARGETS"}, {Field: "arn"},
	}}
	for i := range rules {
		r := &rules[i]
		var to []string
		for j := range r.Targets {
			to = append(to, r.Targets[j].To)
		}
		t.Add(r.Name, r.Bus, ruleState(r), takes(r), ask.OrNil(strings.Join(to, ", ")), r.ARN)
	}
	return t
}

func ruleState(r *rest.Rule) string {
	switch {
	case r.Disabled:
		return "disabled"
	case r.Paused:
		return "paused"
	}
	return "enabled"
}

// takes is what a rule takes, in one line.
func takes(r *rest.Rule) string {
	what := strings.Join(strings.Fields(r.Pattern), " ")
	if r.Schedule != "" {
		what = strings.TrimSpace(r.Schedule + " " + what)
	}
	if short := []rune(what); len(short) > 60 {
		what = string(short[:59]) + "…"
	}
	return what
}

func ruleList(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var prefix, of string
	c := &cobra.Command{
		Use:   "list",
		Short: "List rules of all buses, or of one",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if of != "" || prefix != "" {
				rules, err := rulesOf(cmd.Context(), o, &p, orDefault(of), prefix)
				if err != nil {
					return err
				}
				return o.Print(rulesTable(rules))
			}
			var page rest.Rules
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot list rules", http.MethodGet, "/rule", p.Query(), nil, &page); err != nil {
				return err
			}
			return o.Print(rulesTable(page.Rules))
		},
	}
	p.Bind(c)
	c.Flags().StringVar(&of, "bus", "", "only rules of this bus")
	c.Flags().StringVar(&prefix, "prefix", "", "only rules of the bus whose names begin so")
	return c
}

func ruleDescribe(o *ask.Options) *cobra.Command {
	var r ruleFlags
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a rule, and where its targets stand",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x rest.Rule
			if err := o.Ask(cmd.Context(), r.HTTP, "cannot describe rule "+args[0], http.MethodGet, r.path(args[0]), r.Query(), nil, &x); err != nil {
				return err
			}
			return showRule(o, &x)
		},
	}
	r.bind(c)
	return c
}

// showRule shows a rule, for people with a table of its targets.
func showRule(o *ask.Options, x *rest.Rule) error {
	t := &out.Table{One: true, Columns: []out.Column{
		{Field: "name", Title: "RULE"}, {Field: "bus", Title: "BUS"}, {Field: "state", Title: "STATE"}, {Field: "pattern", Title: "PATTERN"},
		{Field: "schedule", Title: "SCHEDULE"}, {Field: "description", Title: "DESCRIPTION"}, {Field: "managed_by"}, {Field: "from"}, {Field: "tags"},
		{Field: "targets"}, {Field: "arn", Title: "ARN"}, {Field: "created"}, {Field: "modified"},
	}}
	t.Add(x.Name, x.Bus, ruleState(x), ask.OrNil(strings.Join(strings.Fields(x.Pattern), " ")), ask.OrNil(x.Schedule), ask.OrNil(x.Description), ask.OrNil(x.ManagedBy),
		x.From, x.Tags, x.Targets, x.ARN, ask.TimeOf(x.CreatedMs), ask.TimeOf(x.ModifiedMs))
	if err := o.Print(t); err != nil || o.Format != "table" || len(x.Targets) == 0 {
		return err
	}
	return o.Print(targetsTable(x.Targets))
}

// ruleTurn is a command that turns one thing of each rule it names.
func ruleTurn(o *ask.Options, verb, short, done string) *cobra.Command {
	var r ruleFlags
	c := &cobra.Command{
		Use:   verb + " NAME...",
		Short: short,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return eachRule(o, &r, args, done, func(name string) error {
				return o.Ask(cmd.Context(), r.HTTP, "cannot "+verb+" rule "+name, http.MethodPost, r.path(name, verb), r.Query(), nil, nil)
			})
		},
	}
	r.bind(c)
	return c
}

// eachRule does one thing to each rule and tells what came of it.
func eachRule(o *ask.Options, r *ruleFlags, names []string, done string, do func(name string) error) error {
	t := &out.Table{Columns: []out.Column{{Field: "name", Title: "RULE"}, {Field: "bus", Title: "BUS"}, {Field: "result", Title: "RESULT"}}}
	return o.Each(t, names, func(name string) error {
		if err := do(name); err != nil {
			return err
		}
		t.Add(name, r.bus, done)
		return nil
	})
}

func ruleDelete(o *ask.Options) *cobra.Command {
	var r ruleFlags
	var keep bool
	c := &cobra.Command{
		Use:   "delete NAME...",
		Short: "Delete rules with their targets",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			query := r.Query()
			if !keep {
				query.Set("force", "true")
			}
			return eachRule(o, &r, args, "deleted", func(name string) error {
				return o.Ask(cmd.Context(), r.HTTP, "cannot delete rule "+name, http.MethodDelete, r.path(name), query, nil, nil)
			})
		},
	}
	r.bind(c)
	c.Flags().BoolVar(&keep, "unless-targets", false, "refuse to delete a rule that has targets")
	return c
}

func ruleExplain(o *ask.Options) *cobra.Command {
	var r ruleFlags
	var event string
	c := &cobra.Command{
		Use:   "explain [NAME] --event EVENT",
		Short: "Tell why an event fits a rule, or which field does not",
		Long: "Tell why an event fits a rule, or which field of it does not, what the rule wants there and\n" +
			"what the event has; without NAME, of all rules of the bus. EVENT is JSON in EventBridge's envelope\n" +
			"or a CloudEvent, @FILE, or - for standard input. Of an event that is on a bus \"ottla event trace\"\n" +
			"tells the same by its id.",
		Example: "  ottla rule explain big-orders --bus shop --event @order.json\n  ottla rule explain --bus shop --event @order.json",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := textOf("--event", event, o.In)
			if err != nil {
				return err
			}
			if len(body) == 0 {
				return fail.Usagef("which event? give --event JSON, --event @FILE or --event -")
			}
			var object map[string]json.RawMessage
			if err := json.Unmarshal(body, &object); err != nil || object == nil {
				return fail.Usagef("--event %.40s: it is no JSON object (%v); give the event itself, --event @FILE or --event -", strings.TrimSpace(string(body)), errorOr(err, "it is null"))
			}
			if len(args) == 0 {
				return explainAll(cmd.Context(), o, &r, body)
			}
			var why rest.Why
			if err := o.Ask(cmd.Context(), r.HTTP, "cannot explain rule "+args[0], http.MethodPost, r.path(args[0], "explain"), r.Query(), body, &why); err != nil {
				return err
			}
			if o.Format == "table" {
				_, err := fmt.Fprintln(o.Out, strings.TrimRight(why.Why, "\n"))
				return err
			}
			t := &out.Table{One: true, Columns: []out.Column{{Field: "matched"}, {Field: "path"}, {Field: "why"}}}
			t.Add(why.Matched, ask.OrNil(why.Path), why.Why)
			return o.Print(t)
		},
	}
	r.bind(c)
	c.Flags().StringVar(&event, "event", "", "the event: JSON, @FILE, or - for standard input")
	return c
}

// errorOr is an error's text, or another where there is none.
func errorOr(err error, otherwise string) string {
	if err != nil {
		return err.Error()
	}
	return otherwise
}

// explainAll tells of each rule of a bus whether an event fits it, and why not.
func explainAll(ctx context.Context, o *ask.Options, r *ruleFlags, event []byte) error {
	rules, err := rulesOf(ctx, o, &r.PlaceFlags, r.bus, "")
	if err != nil {
		return err
	}
	t := &out.Table{Empty: "bus " + r.bus + " has no rules", Columns: []out.Column{
		{Field: "name", Title: "RULE"}, {Field: "state", Title: "STATE"}, {Field: "matched", Title: "FITS"}, {Field: "path"}, {Field: "why", Title: "WHY"},
	}}
	for i := range rules {
		x := &rules[i]
		why := rest.Why{Why: "it takes the runs of its schedule alone"}
		if x.Pattern != "" {
			if err := o.Ask(ctx, r.HTTP, "cannot explain rule "+x.Name, http.MethodPost, r.path(x.Name, "explain"), r.Query(), event, &why); err != nil {
				return err
			}
		}
		text := strings.TrimRight(why.Why, "\n")
		if o.Format == "table" {
			text, _, _ = strings.Cut(text, "\n")
		}
		t.Add(x.Name, ruleState(x), why.Matched, ask.OrNil(why.Path), text)
	}
	return o.Print(t)
}

// mostText bounds what a flag reads of a file.
const mostText = 8 << 20

// textOf is a flag's text: the text itself, that of @FILE, or of standard input.
func textOf(flag, text string, in io.Reader) ([]byte, error) {
	var b []byte
	var err error
	switch path, isFile := strings.CutPrefix(text, "@"); {
	case text == "-":
		b, err = io.ReadAll(io.LimitReader(in, mostText))
	case isFile:
		b, err = os.ReadFile(path)
	default:
		return []byte(text), nil
	}
	if err != nil {
		return nil, fail.New(fail.Failed, "cannot read "+flag, err.Error(), "name a file that is there, or - for standard input")
	}
	return b, nil
}
