package events

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/gateway/rest"
)

func ruleTry(o *ask.Options) *cobra.Command {
	var r ruleFlags
	var last, samples int
	var called, replay string
	c := &cobra.Command{
		Use:   "try FILE|PATTERN",
		Short: "Tell what a rule would have made of the last events of a bus",
		Long: "Tell which of the last events of a bus a rule would have taken, and what each of its targets\n" +
			"would have been sent; nothing is delivered, nobody is called. FILE is what \"ottla apply\" takes,\n" +
			"with one rule in it, or --rule says which; it is tried on the file's bus, or on --bus. The rule\n" +
			"need not be there, the places of its targets must. PATTERN is a pattern alone, which has no\n" +
			"targets: JSON, @FILE, or - for standard input (which may be a file for apply, too).",
		Example: "  ottla rule try shop.yaml --bus shop --last 10000\n" +
			"  ottla rule try '{\"detail\":{\"total\":[{\"numeric\":[\">=\",100]}]}}' --bus shop --last 10000",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, isFile, err := toTry(o, args[0])
			if err != nil {
				return err
			}
			query := r.Query()
			query.Set("last", strconv.Itoa(last))
			query.Set("samples", strconv.Itoa(samples))
			var x rest.Trial
			if !isFile {
				if called != "" || replay != "" {
					return fail.Usagef("--rule and --as-replay are for files with rules, and this is a pattern")
				}
				if err := o.Ask(cmd.Context(), r.HTTP, "cannot try that pattern on bus "+r.bus, http.MethodPost, ask.BusPath(r.bus, "try"), query, text, &x); err != nil {
					return err
				}
				return showTrial(o, &x)
			}
			if replay != "" {
				query.Set("replay", replay)
			}
			rule, err := ruleIn(text, called)
			if err != nil {
				return fail.Usagef("%s: %v", args[0], err)
			}
			bus := rule.parts[0]
			if cmd.Flags().Changed("bus") {
				bus = r.bus
			}
			path, what := ask.BusPath(bus, "rules", rule.parts[2], "try"), "cannot try rule "+rule.parts[2]+" on bus "+bus
			if err := o.Ask(cmd.Context(), r.HTTP, what, http.MethodPost, path, query, rule.body(false), &x); err != nil {
				return err
			}
			return showTrial(o, &x)
		},
	}
	r.bind(c)
	c.Flags().IntVar(&last, "last", 1000, "how many events of each partition, 1000000 at most")
	c.Flags().IntVar(&samples, "samples", 3, "how many events that fit are shown, 100 at most")
	c.Flags().StringVar(&called, "rule", "", "which rule of the file, as BUS/NAME")
	c.Flags().StringVar(&replay, "as-replay", "", "show what targets get in a replay of this name")
	return c
}

// toTry reads what is to be tried; isFile tells a file for apply from a pattern.
func toTry(o *ask.Options, arg string) (text []byte, isFile bool, err error) {
	if strings.HasPrefix(strings.TrimSpace(arg), "{") || strings.HasPrefix(arg, "@") {
		text, err = textOf("the pattern", arg, o.In)
		return text, false, err
	}
	if arg == "-" {
		text, err = textOf("the pattern", arg, o.In)
	} else if text, err = os.ReadFile(arg); err != nil {
		return nil, false, fail.New(fail.Usage, "cannot read what is to be tried", err.Error(), "give a file as \"ottla apply\" takes it, a pattern as JSON, or - for standard input")
	}
	return text, err == nil && !patternAlone(text), err
}

// patternAlone tells a pattern from a file with sections.
func patternAlone(text []byte) bool {
	if !strings.HasPrefix(strings.TrimSpace(string(text)), "{") {
		return false
	}
	var top map[string]json.RawMessage
	b, err := yaml.YAMLToJSON(text)
	if err != nil || json.Unmarshal(b, &top) != nil {
		return true
	}
	return !slices.ContainsFunc(kinds, func(k kind) bool { return top[k.section] != nil })
}

// ruleIn finds the rule of a file that is to be tried.
func ruleIn(text []byte, called string) (*thing, error) {
	things, err := readThings(text)
	if err != nil {
		return nil, err
	}
	var found []*thing
	var names []string
	for i := range things {
		x := &things[i]
		if x.kind.word != "rule" {
			continue
		}
		names = append(names, x.name)
		if called == "" || x.name == called || x.parts[2] == called {
			found = append(found, x)
		}
	}
	switch {
	case len(names) == 0:
		return nil, fmt.Errorf("it has no rules")
	case len(found) == 0:
		return nil, fmt.Errorf("it has no rule %s, but %s", called, strings.Join(names, ", "))
	case len(found) > 1:
		return nil, fmt.Errorf("it has %d rules: say which with --rule, of %s", len(names), strings.Join(names, ", "))
	}
	return found[0], nil
}

func showTrial(o *ask.Options, x *rest.Trial) error {
	t := &out.Table{One: true, Columns: []out.Column{
		{Field: "matched", Title: "MATCHED"}, {Field: "read", Title: "OF EVENTS"}, {Field: "per_second"}, {Field: "rate", Title: "RATE"},
		{Field: "first", Title: "SINCE"}, {Field: "last", Title: "UNTIL"}, {Field: "targets"}, {Field: "samples"},
	}}
	var perSecond, rate any
	if span := time.Duration(x.LastMs-x.FirstMs) * time.Millisecond; span > 0 {
		n := float64(x.Matched) / span.Seconds()
		perSecond, rate = n, strconv.FormatFloat(n, 'g', 3, 64)+"/s"
	}
	t.Add(x.Matched, x.Read, perSecond, rate, ask.TimeOf(x.FirstMs), ask.TimeOf(x.LastMs), x.Targets, x.Samples)
	if err := o.Print(t); err != nil || o.Format != "table" {
		return err
	}
	if len(x.Targets) > 0 {
		return showTried(o, x)
	}
	if len(x.Samples) == 0 {
		return nil
	}
	s := &out.Table{Columns: []out.Column{{Field: "at", Title: "AT"}, {Field: "event", Title: "EVENT"}}}
	for _, e := range x.Samples {
		s.Add(fmt.Sprintf("%d@%d", e.Partition, e.Offset), string(e.Event))
	}
	return o.Print(s)
}

// showTried shows people what targets would have got.
func showTried(o *ask.Options, x *rest.Trial) error {
	t := &out.Table{Columns: []out.Column{
		{Field: "id", Title: "TARGET"}, {Field: "to", Title: "TO"}, {Field: "sent", Title: "SENT"}, {Field: "dead", Title: "DEAD LETTERS"},
		{Field: "dropped", Title: "DROPPED"}, {Field: "retried", Title: "TRIED AGAIN"}, {Field: "why", Title: "WHY"},
	}}
	for _, g := range x.Targets {
		t.Add(g.ID, g.To, g.Sent, g.Dead, g.Dropped, g.Retried, ask.OrNil(g.Why))
	}
	if err := o.Print(t); err != nil {
		return err
	}
	_, err := fmt.Fprint(o.Out, sendsText(x.Samples))
	return err
}

// sendsText are samples for people: what each target gets stands below the event.
func sendsText(samples []rest.TrialSample) string {
	var b strings.Builder
	for _, s := range samples {
		fmt.Fprintf(&b, "\n%d@%d  %s\n", s.Partition, s.Offset, eventName(s.Event))
		for i := range s.Sends {
			sendText(&b, &s.Sends[i])
		}
	}
	return b.String()
}

// eventName is an event in a few words.
func eventName(envelope json.RawMessage) string {
	var e struct {
		ID, Source string
		Type       string `json:"detail-type"`
	}
	if json.Unmarshal(envelope, &e) != nil {
		return ""
	}
	return fmt.Sprintf("%s from %s  id %s", out.Line(e.Type), out.Line(e.Source), out.Line(e.ID))
}

func sendText(b *strings.Builder, s *rest.Sending) {
	linef(b, "  %s  %s", s.Target, s.Result)
	if s.Why != "" {
		linef(b, ": %s", s.Why)
	}
	if s.URL != "" {
		linef(b, "  %s", strings.TrimSpace(s.Method+" "+s.URL))
	}
	for _, x := range [][2]string{{"key", s.Key}, {"group", s.Group}, {"dedup id", s.DedupID}} {
		if x[1] != "" {
			linef(b, "  %s %s", x[0], x[1])
		}
	}
	if s.Authorized {
		b.WriteString("  authorized by its connection")
	}
	b.WriteByte('\n')
	for _, h := range s.Headers {
		linef(b, "    %s: %s\n", h.Name, h.Value)
	}
	for _, a := range s.Attributes {
		linef(b, "    %s (%s): %s\n", a.Name, a.Type, a.Value)
	}
	switch {
	case s.BodyBase64 != "":
		linef(b, "    in base64: %s\n", s.BodyBase64)
	case s.Body != "":
		linef(b, "    %s\n", s.Body)
	}
}

// linef writes what has texts of others in it: they break no lines, nor do worse to a
// terminal.
func linef(b *strings.Builder, format string, args ...any) {
	for i, a := range args {
		if text, ok := a.(string); ok {
			args[i] = out.Line(text)
		}
	}
	fmt.Fprintf(b, format, args...)
}
