package events

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/gateway/rest"
)

func rulePut(o *ask.Options) *cobra.Command {
	var r ruleFlags
	var t targetFlags
	var pattern, schedule, description string
	var to []string
	var disabled bool
	c := &cobra.Command{
		Use:   "put NAME",
		Short: "Make a rule, or put another in its place",
		Long: "Make a rule, or put another in its place. It takes the events that fit --pattern (JSON, or @FILE;\n" +
			"docs/events/patterns.md has the language), and what --schedule puts. With --to its targets are\n" +
			"those that are named, and the flags of targets hold for each; without, they stay as they are.\n" +
			"What is put after the command has ended goes by the rule.",
		Example: "  ottla rule put big-orders --bus shop --pattern '{\"detail\":{\"total\":[{\"numeric\":[\">=\",100]}]}}' --to queue:billing\n" +
			"  ottla rule put all --bus shop --pattern '{\"source\":[{\"prefix\":\"\"}]}' --to topic:copy --to https://example.org/hook --retry 1s,1m",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := textOf("--pattern", pattern, o.In)
			if err != nil {
				return err
			}
			body := map[string]any{"pattern": strings.TrimSpace(string(text)), "schedule": schedule, "description": description, "disabled": disabled}
			if len(text) == 0 && schedule == "" {
				return fail.Usagef("which events shall it take? give --pattern, or --schedule")
			}
			if body["targets"], err = t.targets(cmd, to); err != nil {
				return err
			}
			var x rest.Rule
			if err := o.Ask(cmd.Context(), r.HTTP, "cannot put rule "+args[0], http.MethodPut, r.path(args[0]), r.Query(), body, &x); err != nil {
				return err
			}
			return showRule(o, &x)
		},
	}
	r.bind(c)
	t.bind(c)
	c.Flags().StringVar(&pattern, "pattern", "", "event pattern: JSON, @FILE, or - for standard input")
	c.Flags().StringVar(&schedule, "schedule", "", "rate(5 minutes) or cron(0 12 * * ? *), in UTC: its targets get an event at each of its runs")
	c.Flags().StringVar(&description, "description", "", "what it is for")
	c.Flags().StringArrayVar(&to, "to", nil, "where events go: topic:NAME, queue:NAME, bus:NAME, sns:NAME, destination:NAME, function:NAME, a URL or an ARN; may be repeated")
	c.Flags().BoolVar(&disabled, "disabled", false, "let events pass it by until it is enabled")
	return c
}

// targets are those that are named, each as the flags say; nil for none.
func (t *targetFlags) targets(c *cobra.Command, to []string) (any, error) {
	fields, err := t.fields(c)
	if err != nil {
		return nil, err
	}
	if len(to) == 0 {
		if len(fields) > 0 {
			return nil, fail.Usagef("--to is missing: the flags of targets are for those; \"ottla target set\" changes one that is there")
		}
		return nil, nil
	}
	var out []map[string]any
	used := map[string]bool{}
	for i, place := range to {
		one := map[string]any{"id": targetID(place, i, used), "to": place}
		for k, v := range fields {
			one[k] = v
		}
		out = append(out, one)
	}
	return out, nil
}

// targetID is an id that tells where a target is: the name of an object, a URL's
// host; with a number where that is taken.
func targetID(to string, n int, used map[string]bool) string {
	name := to
	if _, rest, ok := strings.Cut(to, "://"); ok {
		name, _, _ = strings.Cut(rest, "/")
	} else if i := strings.LastIndexAny(to, ":/"); i >= 0 {
		name = to[i+1:]
	}
	id := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' {
			return c
		}
		return '-'
	}, name)
	if len(id) > 56 || id == "" {
		id = "target"
	}
	if used[id] {
		id += "-" + strconv.Itoa(n+1)
	}
	used[id] = true
	return id
}
