package events

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/gateway/rest"
)

// ApplyCommand makes things be as a file says.
func ApplyCommand(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var file string
	var diff bool
	c := &cobra.Command{
		Use:   "apply -f FILE",
		Short: "Make queues, buses, rules and more be as a file says",
		Long: "Make queues, buses, archives, connections, API destinations, rules, schedules and mappings of\n" +
			"functions be as a YAML file says, and tell what changed. What is so already stays; what the file\n" +
			"does not name is left alone. Of queues, buses, archives and schedules fields that are not given\n" +
			"stay; a connection, a destination, a rule and a mapping are as the file says, whole. --diff only\n" +
			"tells. docs/events/rules.md has the form.",
		Example: "  ottla apply -f shop.yaml --diff\n  ottla apply -f shop.yaml",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if file == "" {
				return fail.Usagef("which file? give -f FILE, or -f - for standard input")
			}
			at := file
			if at != "-" {
				at = "@" + at
			}
			text, err := textOf("the file", at, o.In)
			if err != nil {
				return err
			}
			things, err := readThings(text)
			if err != nil {
				return fail.Usagef("%s: %v", file, err)
			}
			return apply(cmd.Context(), o, &p, things, diff)
		},
	}
	p.Bind(c)
	c.Flags().StringVarP(&file, "file", "f", "", "YAML file, or - for standard input")
	c.Flags().BoolVar(&diff, "diff", false, "only tell what would change")
	return c
}

// ApplyFile makes things be as a file says that is on hand, at a node's HTTP address.
func ApplyFile(ctx context.Context, o *ask.Options, http string, file []byte) error {
	things, err := readThings(file)
	if err != nil {
		return err
	}
	return apply(ctx, o, &ask.PlaceFlags{HTTP: http}, things, false)
}

// apply goes through things in their order and ends at the first that fails: what
// follows may need it.
func apply(ctx context.Context, o *ask.Options, p *ask.PlaceFlags, things []thing, diff bool) error {
	t := &out.Table{Empty: "the file names nothing", Columns: []out.Column{
		{Field: "kind", Title: "KIND"}, {Field: "name", Title: "NAME"}, {Field: "result", Title: "RESULT"}, {Field: "changed", Title: "CHANGED"},
	}}
	for i := range things {
		x := &things[i]
		result, changed, err := applyOne(ctx, o, p, x, diff)
		if err != nil {
			return o.PrintPartly(t, []error{err})
		}
		t.Add(x.kind.word, x.name, result, ask.OrNil(strings.Join(changed, ", ")))
	}
	return o.Print(t)
}

func applyOne(ctx context.Context, o *ask.Options, p *ask.PlaceFlags, x *thing, diff bool) (result string, changed []string, err error) {
	path, what := native.Path(append(strings.Split(x.kind.path, "/"), x.parts...)...), x.kind.word+" "+x.name
	var now map[string]any
	var compared rest.Differences
	if x.kind.word == "connection" { // its secrets are told to nobody: the node compares
		err = o.Ask(ctx, p.HTTP, "cannot read "+what, http.MethodPost, path+"/compare", p.Query(), x.body(true), &compared)
	} else {
		err = o.Ask(ctx, p.HTTP, "cannot read "+what, http.MethodGet, path, p.Query(), nil, &now)
	}
	var f *fail.Failure
	there := err == nil && !unused(x, now)
	switch {
	case errors.As(err, &f) && f.Code == fail.NotFound:
	case err != nil:
		return "", nil, err
	}
	if there {
		if changed = compared.Changed; x.kind.word != "connection" {
			changed = x.differs(now)
		}
		if len(changed) == 0 {
			return "unchanged", nil, nil
		}
	}
	method := http.MethodPut
	if result = "created"; there {
		if result = "changed"; !x.kind.whole {
			method = http.MethodPatch
		}
	}
	if diff {
		return map[string]string{"created": "would be created", "changed": "would change"}[result], changed, nil
	}
	query := url.Values(p.Query())
	return result, changed, o.Ask(ctx, p.HTTP, "cannot apply "+what, method, path, query, x.body(there), nil)
}

// unused tells whether a thing is only there once it is used: the default bus.
func unused(x *thing, now map[string]any) bool {
	_, made := now["created_ms"]
	return x.kind.word == "bus" && !made
}
