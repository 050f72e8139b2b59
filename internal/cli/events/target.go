package events

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/event/letter"
	"ottla/internal/gateway/rest"
)

// targetFlags are what a target is told to be, but where it is.
type targetFlags struct {
	transform, input, inputPath, key, group, method string
	paths, headers, query                           []string
	retry                                           string
	retries                                         int
	jitter                                          string
	maxAge, dead, rate, deadline                    string
	concurrency                                     int
	orderBy                                         string
	secrets                                         []string
}

func (t *targetFlags) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&t.transform, "transform", "", "template of what is sent, as {\"id\":<$.detail.id>}; @FILE reads it")
	f.StringArrayVar(&t.paths, "path", nil, "name of a part for the template, as id=$.detail.id, may be repeated")
	f.StringVar(&t.input, "input", "", "JSON that is sent, whatever the event is")
	f.StringVar(&t.inputPath, "input-path", "", "part of the event that is sent, as $.detail")
	f.StringVar(&t.key, "key", "", "path whose value is the record's key, or the message group, as $.detail.customer")
	f.StringVar(&t.group, "group", "", "message group in a FIFO queue")
	f.StringVar(&t.method, "method", "", "method of the call (POST)")
	f.StringArrayVarP(&t.headers, "header", "H", nil, "header, or attribute of a message, as NAME=VALUE or NAME=$.path, may be repeated")
	f.StringArrayVar(&t.query, "query", nil, "parameter of the URL, as NAME=VALUE or NAME=$.path, may be repeated")
	f.StringVar(&t.retry, "retry", "", "waits between attempts, as 1s,10s,1m: an attempt behind each; with --retries the last is repeated (a back-off that grows)")
	f.IntVar(&t.retries, "retries", 0, "attempts after the first (185)")
	f.StringVar(&t.jitter, "jitter", "", "part of a wait that is drawn, as 20%")
	f.StringVar(&t.maxAge, "max-age", "", "how long an event is tried (24h)")
	f.StringVar(&t.dead, "dead-letters", "", "queue for events that were given up, by name or ARN; \"none\" takes it back")
	f.StringVar(&t.rate, "rate", "", "calls a second at most, as 50/s")
	f.IntVar(&t.concurrency, "concurrency", 0, "calls at once")
	f.StringVar(&t.orderBy, "order-by", "", "path whose value has one call at a time, as $.detail.customer")
	f.StringVar(&t.deadline, "deadline", "", "how long a call may take (15s)")
	f.StringArrayVar(&t.secrets, "secret", nil, "secret that calls are signed with (Standard Webhooks), the newest first, may be repeated")
}

// fields are those that were given, as the native door takes them.
func (t *targetFlags) fields(c *cobra.Command) (map[string]any, error) {
	out := map[string]any{}
	given := c.Flags().Changed
	for _, d := range []struct{ flag, field, text string }{
		{"input", "input", t.input}, {"input-path", "input_path", t.inputPath}, {"key", "key", t.key}, {"group", "group", t.group},
		{"method", "method", strings.ToUpper(t.method)}, {"dead-letters", "dead_letters", noneOf(t.dead)},
	} {
		if given(d.flag) {
			out[d.field] = d.text
		}
	}
	if given("transform") {
		text, err := textOf("--transform", t.transform, strings.NewReader(""))
		if err != nil {
			return nil, err
		}
		out["template"] = string(text)
	}
	for _, d := range []struct {
		flag, field string
		words       []string
	}{{"path", "paths", t.paths}, {"header", "headers", t.headers}, {"query", "query", t.query}} {
		if given(d.flag) {
			all, err := pairs(d.flag, d.words)
			if err != nil {
				return nil, err
			}
			out[d.field] = all
		}
	}
	if given("order-by") {
		if given("key") && t.key != t.orderBy {
			return nil, fail.Usagef("--order-by and --key say the same thing: give one")
		}
		out["key"], out["ordered"] = t.orderBy, true
	}
	if given("concurrency") {
		out["concurrency"] = t.concurrency
	}
	if given("secret") {
		out["secrets"] = t.secrets
	}
	if given("rate") {
		n, err := rateOf(t.rate)
		if err != nil {
			return nil, err
		}
		out["rate"] = n
	}
	if given("deadline") {
		ms, err := ask.Milliseconds("deadline", t.deadline)
		if err != nil {
			return nil, err
		}
		out["deadline_ms"] = ms
	}
	return out, t.retryFields(c, out)
}

// retryFields are those of the target's retry.
func (t *targetFlags) retryFields(c *cobra.Command, into map[string]any) error {
	retry := map[string]any{}
	given := c.Flags().Changed
	if given("retries") {
		retry["retries"] = t.retries
	}
	if given("max-age") {
		d, err := letter.Duration(t.maxAge)
		if err != nil {
			return fail.Usagef("--max-age: %v", err)
		}
		retry["max_age_ms"] = d.Milliseconds()
	}
	if given("jitter") {
		n, err := strconv.ParseFloat(strings.TrimSuffix(t.jitter, "%"), 64)
		if err != nil || !strings.HasSuffix(t.jitter, "%") {
			return fail.Usagef("--jitter %s: want a part of the wait, as 20%%", t.jitter)
		}
		retry["jitter"] = n / 100
	}
	if given("retry") {
		var waits []int64
		for w := range strings.SplitSeq(t.retry, ",") {
			d, err := letter.Duration(strings.TrimSpace(w))
			if err != nil {
				return fail.Usagef("--retry: %v", err)
			}
			waits = append(waits, d.Milliseconds())
		}
		retry["waits_ms"] = waits
		if !given("retries") {
			retry["retries"] = len(waits)
		}
	}
	if len(retry) > 0 {
		into["retry"] = retry
	}
	return nil
}

// rateOf reads a number a second: 50 or 50/s.
func rateOf(text string) (float64, error) {
	n, err := strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64)
	if err != nil || n < 0 || n != n {
		return 0, fail.Usagef("--rate %s: want a number a second, as 50/s", text)
	}
	return n, nil
}

// TargetCommand is the noun target: where events of a rule go.
func TargetCommand(o *ask.Options) *cobra.Command {
	list := targetList(o)
	c := ask.Noun("target", "targets", "Targets of a rule: where its events go, and how", targetSet(o), list, targetRemove(o))
	return ask.PluralLists(c, list)
}

func targetsTable(all []rest.Target) *out.Table {
	t := &out.Table{Empty: "no targets", Columns: []out.Column{
		{Field: "id", Title: "TARGET"}, {Field: "to", Title: "TO"}, {Field: "state", Title: "STATE"}, {Field: "behind", Title: "BEHIND", Right: true},
		{Field: "lag_seconds"}, {Field: "lag", Title: "LAG", Right: true}, {Field: "sent", Title: "SENT", Right: true}, {Field: "failed", Title: "FAILED", Right: true},
		{Field: "dead", Title: "DEAD", Right: true}, {Field: "dropped"}, {Field: "dead_letters", Title: "DEAD LETTERS"}, {Field: "last_error", Title: "LAST ERROR"},
	}}
	for i := range all {
		x := &all[i]
		s := x.Stands
		if s == nil {
			t.Add(x.ID, x.To, nil, nil, nil, nil, nil, nil, nil, nil, ask.OrNil(x.DeadLetters), ask.OrNil(x.Disabled))
			continue
		}
		lag := time.Duration(s.LagMs) * time.Millisecond
		t.Add(x.ID, x.To, s.State, s.Behind, lag.Seconds(), ask.Age(lag), s.Sent, s.Failed, s.Dead, s.Dropped, ask.OrNil(x.DeadLetters), ask.OrNil(s.LastError))
	}
	return t
}

func targetList(o *ask.Options) *cobra.Command {
	var r ruleFlags
	c := &cobra.Command{
		Use:   "list RULE",
		Short: "List the targets of a rule, and where they stand",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x rest.Rule
			if err := o.Ask(cmd.Context(), r.HTTP, "cannot list targets of rule "+args[0], http.MethodGet, r.path(args[0]), r.Query(), nil, &x); err != nil {
				return err
			}
			return o.Print(targetsTable(x.Targets))
		},
	}
	r.bind(c)
	return c
}

func targetSet(o *ask.Options) *cobra.Command {
	var r ruleFlags
	var t targetFlags
	var to string
	c := &cobra.Command{
		Use:   "set RULE ID",
		Short: "Add a target to a rule, or change what is said of one",
		Long: "Add a target to a rule (with --to), or change of one that is there what is said; the rest stays.\n" +
			"--to puts another target in its place.",
		Example: "  ottla target set big-orders crm --to https://crm.example/hook --retry 1s,10s,1m --dead-letters failed\n" +
			"  ottla target set big-orders crm --rate 50/s --concurrency 8",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := t.fields(cmd)
			if err != nil {
				return err
			}
			method := http.MethodPatch
			if to != "" {
				body["to"], method = to, http.MethodPut
			}
			if len(body) == 0 {
				return fail.Usagef("nothing is to be changed: give --to or another flag")
			}
			var x rest.Rule
			err = o.Ask(cmd.Context(), r.HTTP, "cannot set target "+args[1], method, r.path(args[0], "targets", args[1]), r.Query(), body, &x)
			if err != nil {
				return err
			}
			return showRule(o, &x)
		},
	}
	r.bind(c)
	t.bind(c)
	c.Flags().StringVar(&to, "to", "", "where events go: topic:NAME, queue:NAME, bus:NAME, sns:NAME, destination:NAME, function:NAME, a URL or an ARN")
	return c
}

func targetRemove(o *ask.Options) *cobra.Command {
	var r ruleFlags
	c := &cobra.Command{
		Use:   "remove RULE ID...",
		Short: "Take targets from a rule",
		Args:  cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := &out.Table{Columns: []out.Column{{Field: "id", Title: "TARGET"}, {Field: "rule", Title: "RULE"}, {Field: "result", Title: "RESULT"}}}
			return o.Each(t, args[1:], func(id string) error {
				err := o.Ask(cmd.Context(), r.HTTP, "cannot remove target "+id, http.MethodDelete, r.path(args[0], "targets", id), r.Query(), nil, nil)
				if err != nil {
					return err
				}
				t.Add(id, args[0], "removed")
				return nil
			})
		},
	}
	r.bind(c)
	return c
}
