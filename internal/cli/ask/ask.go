package ask

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
)

// SendAtOnce is how many messages or events of standard input go in one request.
const SendAtOnce = 100

// Native is a node's HTTP port, which has the doors that speak of queues and
// schedules.
func (o *Options) Native(ctx context.Context, given string) (*native.Client, error) {
	address := o.HTTPAddress(ctx, given)
	if address == "" {
		return nil, fail.Usagef("this is asked over HTTP, and no node behind %s says where it answers that: give --http HOST:PORT of one", o.Bootstrap)
	}
	return native.New(address, o.ConnectTimeout), nil
}

// Ask is one question to a native door, within --timeout.
func (o *Options) Ask(ctx context.Context, given, what, method, path string, query url.Values, body, into any) error {
	c, err := o.Native(ctx, given)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	return c.Do(ctx, what, method, path, query, body, into)
}

// PrintPages prints a table of a list that is asked for page by page, as EachPage does.
func PrintPages[P any](ctx context.Context, o *Options, t *out.Table, given, what, path string, query url.Values, take func(page *P) (next string)) error {
	if err := EachPage(ctx, o, given, what, path, query, take); err != nil {
		return err
	}
	return o.Print(t)
}

// EachPage asks for a list, page by page. take takes one, and tells by what the next is asked
// for: "" where there is none.
func EachPage[P any](ctx context.Context, o *Options, given, what, path string, query url.Values, take func(page *P) (next string)) error {
	for query.Set("max", "1000"); ; {
		var page P
		if err := o.Ask(ctx, given, what, http.MethodGet, path, query, nil, &page); err != nil {
			return err
		}
		next := take(&page)
		if next == "" {
			return nil
		}
		query.Set("next", next)
	}
}

// Each does something to each of the things that are named, and prints what came of it:
// do puts what it did into the table.
func (o *Options) Each(t *out.Table, names []string, do func(name string) error) error {
	var failures []error
	for _, name := range names {
		if err := do(name); err != nil {
			failures = append(failures, err)
		}
	}
	return o.PrintPartly(t, failures)
}

// DeleteEach is a command that deletes each thing of a kind that it names.
func DeleteEach(o *Options, kind, use, short string) *cobra.Command {
	return OrderEach(o, kind, use, "delete", short, "deleted", http.MethodDelete)
}

// DeleteUnused is DeleteEach where the node refuses to delete what is used, unless --force:
// forced says in help what comes of that.
func DeleteUnused(o *Options, kind, use, short, forced string) *cobra.Command {
	force := false
	c := orderEach(o, kind, use, "delete", short, "deleted", http.MethodDelete, &force)
	c.Flags().BoolVar(&force, "force", false, forced)
	return c
}

// OrderEach is a command that gives one order for each thing of a kind that it names, at
// its path, with more behind it.
func OrderEach(o *Options, kind, use, verb, short, done, method string, more ...string) *cobra.Command {
	return orderEach(o, kind, use, verb, short, done, method, new(bool), more...)
}

// orderEach is OrderEach; force is asked for where that is set when the command runs.
func orderEach(o *Options, kind, use, verb, short, done, method string, force *bool, more ...string) *cobra.Command {
	var p PlaceFlags
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := &out.Table{Columns: []out.Column{{Field: "name", Title: strings.ToUpper(kind)}, {Field: "result", Title: "RESULT"}}}
			query := p.Query()
			if *force {
				query.Set("force", "true")
			}
			return o.Each(t, args, func(name string) error {
				path := native.Path(append([]string{kind, name}, more...)...)
				if err := o.Ask(cmd.Context(), p.HTTP, "cannot "+verb+" "+kind+" "+name, method, path, query, nil, nil); err != nil {
					return err
				}
				t.Add(name, done)
				return nil
			})
		},
	}
	p.Bind(c)
	return c
}
