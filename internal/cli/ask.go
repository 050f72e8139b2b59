package cli

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

// native is a node's HTTP port, which has the doors that speak of queues and
// schedules.
func (o *options) native(given string) (*native.Client, error) {
	address := o.httpAddress(given)
	if address == "" {
		return nil, fail.Usagef("this is asked over HTTP: give --http HOST:PORT of a node")
	}
	return native.New(address, o.connectTimeout), nil
}

// ask is one question to a native door, within --timeout.
func (o *options) ask(ctx context.Context, given, what, method, path string, query url.Values, body, into any) error {
	c, err := o.native(given)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	return c.Do(ctx, what, method, path, query, body, into)
}

// eachPage asks for a list, page by page. take takes one, and tells by what the next is asked
// for: "" where there is none.
func eachPage[P any](ctx context.Context, o *options, given, what, path string, query url.Values, take func(page *P) (next string)) error {
	for query.Set("max", "1000"); ; {
		var page P
		if err := o.ask(ctx, given, what, http.MethodGet, path, query, nil, &page); err != nil {
			return err
		}
		next := take(&page)
		if next == "" {
			return nil
		}
		query.Set("next", next)
	}
}

// each does something to each of the things that are named, and prints what came of it:
// do puts what it did into the table.
func (o *options) each(t *out.Table, names []string, do func(name string) error) error {
	var failures []error
	for _, name := range names {
		if err := do(name); err != nil {
			failures = append(failures, err)
		}
	}
	return o.printPartly(t, failures)
}

// deleteEach is a command that deletes each thing of a kind that it names.
func deleteEach(o *options, kind, use, short string) *cobra.Command {
	return orderEach(o, kind, use, "delete", short, "deleted", http.MethodDelete)
}

// orderEach is a command that gives one order for each thing of a kind that it names, at
// its path, with more behind it.
func orderEach(o *options, kind, use, verb, short, done, method string, more ...string) *cobra.Command {
	var p placeFlags
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := &out.Table{Columns: []out.Column{{Field: "name", Title: strings.ToUpper(kind)}, {Field: "result", Title: "RESULT"}}}
			return o.each(t, args, func(name string) error {
				path := native.Path(append([]string{kind, name}, more...)...)
				if err := o.ask(cmd.Context(), p.http, "cannot "+verb+" "+kind+" "+name, method, path, p.query(), nil, nil); err != nil {
					return err
				}
				t.Add(name, done)
				return nil
			})
		},
	}
	p.bind(c)
	return c
}
