package events

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

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
			"tells. Nothing is applied of a file in which something cannot be. docs/events/rules.md has the form.",
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

// atOnce is how many things are applied at a time: enough that a file is not as slow as its
// disk syncs are many, few enough that a node has others to answer.
const atOnce = 16

// mostErrors is how many of them are told: a slip in a file that a program wrote is in all
// of its things.
const mostErrors = 20

// apply checks all things, then goes through them wave by wave and ends at the first wave
// of which something fails: what follows may need it.
func apply(ctx context.Context, o *ask.Options, p *ask.PlaceFlags, things []thing, diff bool) error {
	t := &out.Table{Empty: "the file names nothing", Columns: []out.Column{
		{Field: "kind", Title: "KIND"}, {Field: "name", Title: "NAME"}, {Field: "result", Title: "RESULT"}, {Field: "changed", Title: "CHANGED"},
	}}
	if wrong := checkAll(ctx, o, p, things); len(wrong) > 0 {
		return o.PrintPartly(t, few(wrong))
	}
	for len(things) > 0 {
		n := 1
		for n < len(things) && things[n].kind == things[0].kind && things[n].level == things[0].level {
			n++
		}
		var failures []error
		for i, done := range applyWave(ctx, o, p, things[:n], diff) {
			switch {
			case done.err != nil:
				failures = append(failures, done.err)
			case done.result != "":
				t.Add(things[i].kind.word, things[i].name, done.result, ask.OrNil(strings.Join(done.changed, ", ")))
			}
		}
		if len(failures) > 0 {
			return o.PrintPartly(t, few(failures))
		}
		things = things[n:]
	}
	return o.Print(t)
}

// few are the first of many errors, and how many more there are.
func few(errs []error) []error {
	if more := len(errs) - mostErrors; more > 0 {
		return append(errs[:mostErrors:mostErrors], fail.New(fail.Usage, ask.CountWord(int64(more), "more thing")+" cannot be applied", "", ""))
	}
	return errs
}

// applied is what became of a thing; no result and no error where it was not begun.
type applied struct {
	result  string
	changed []string
	err     error
}

// applyWave applies things that do not need each other, some at a time. After an error
// none is begun any more.
func applyWave(ctx context.Context, o *ask.Options, p *ask.PlaceFlags, things []thing, diff bool) []applied {
	out := make([]applied, len(things))
	var next atomic.Int64
	var failed atomic.Bool
	var workers sync.WaitGroup
	many := min(atOnce, len(things))
	if things[0].kind.word == "archive" { // they change what their bus keeps
		many = 1
	}
	for range many {
		workers.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(things) && !failed.Load(); i = int(next.Add(1)) - 1 {
				x := &out[i]
				if x.result, x.changed, x.err = applyOne(ctx, o, p, &things[i], diff); x.err != nil {
					failed.Store(true)
				}
			}
		})
	}
	workers.Wait()
	return out
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
