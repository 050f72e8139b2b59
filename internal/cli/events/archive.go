package events

import (
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/bus"
	"ottla/internal/gateway/rest"
)

// ArchiveCommand is the noun archive: what a bus keeps.
func ArchiveCommand(o *ask.Options) *cobra.Command {
	list := archiveList(o)
	c := ask.Noun("archive", "archives", "Archives: events of a bus that are kept for replays", archiveCreate(o), list, archiveDescribe(o), archiveDelete(o))
	return ask.PluralLists(c, list)
}

func archiveColumns() []out.Column {
	return []out.Column{
		{Field: "name", Title: "ARCHIVE"}, {Field: "bus", Title: "BUS"}, {Field: "keeps", Title: "KEEPS"}, {Field: "retention_ms"},
		{Field: "retention", Title: "RETENTION"}, {Field: "pattern", Title: "PATTERN"}, {Field: "topic"}, {Field: "description"}, {Field: "arn"}, {Field: "created"},
	}
}

func archiveRow(a *rest.Archive) []any {
	keeps := "all events"
	if a.Pattern != "" {
		keeps = "copies"
	}
	kept := any("for ever")
	if a.RetentionMs > 0 {
		kept = retentionOf(a.RetentionMs)
	}
	return []any{a.Name, a.Bus.Name, keeps, a.RetentionMs, kept, ask.OrNil(a.Pattern), ask.OrNil(a.Topic), ask.OrNil(a.Description), a.ARN, ask.TimeOf(a.CreatedMs)}
}

// weighedColumns are those of archives with how much they have.
func weighedColumns() []out.Column {
	return append(archiveColumns(), out.Column{Field: "events", Title: "EVENTS", Right: true}, out.Column{Field: "events_estimated"},
		out.Column{Field: "size", Title: "SIZE", Right: true}, out.Column{Field: "bytes"})
}

// addWeighed adds an archive with how much it has, as far as that is told.
func addWeighed(t *out.Table, a *rest.Archive, people bool) {
	row := archiveRow(a)
	var events, size, bytes any
	if a.Events != nil {
		if events = *a.Events; people && a.Estimated {
			events = "about " + strconv.FormatInt(*a.Events, 10)
		}
	}
	if a.Bytes != nil {
		size, bytes = out.Bytes(*a.Bytes), *a.Bytes
	}
	t.Add(append(row, events, a.Estimated, size, bytes)...)
}

func archiveCreate(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var pattern, keep, description, of string
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Keep events of a bus for longer than the bus does",
		Long: "Keep events of a bus. With --pattern those that fit are copied, each exactly once, from now on;\n" +
			"without, the bus's topic keeps all of its events for as long as the archive says.",
		Example: "  ottla archive create shop-all --bus shop --retention 90d\n  ottla archive create paid --bus shop --pattern '{\"detail-type\":[\"Paid\"]}'",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := textOf("--pattern", pattern, o.In)
			if err != nil {
				return err
			}
			spec := bus.ArchiveSpec{Bus: bus.Ref{Account: p.Account, Region: p.Region, Name: of}, Pattern: string(text), Description: description}
			if keep != "" {
				if spec.RetentionMs, err = retention("retention", keep, 0); err != nil {
					return err
				}
			}
			var a rest.Archive
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot create archive "+args[0], http.MethodPut, native.Path("archive", args[0]), p.Query(), spec, &a); err != nil {
				return err
			}
			t := &out.Table{One: true, Columns: archiveColumns()}
			t.Add(archiveRow(&a)...)
			return o.Print(t)
		},
	}
	p.Bind(c)
	c.Flags().StringVar(&of, "bus", bus.Default, "bus whose events are kept")
	c.Flags().StringVar(&pattern, "pattern", "", "only events that fit: JSON, @FILE, or - for standard input")
	c.Flags().StringVar(&keep, "retention", "", "how long, as 90d (for ever)")
	c.Flags().StringVar(&description, "description", "", "what it is for")
	return c
}

func archiveList(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List archives",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := &out.Table{Empty: "no archives", Columns: weighedColumns()}
			query := p.Query()
			return ask.PrintPages(cmd.Context(), o, t, p.HTTP, "cannot list archives", "/archive", query, func(page *rest.Archives) string {
				for i := range page.Archives {
					addWeighed(t, &page.Archives[i], o.Format == "table")
				}
				return page.Next
			})
		},
	}
	p.Bind(c)
	return c
}

func archiveDescribe(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show an archive, and how much it has",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var a rest.Archive
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot describe archive "+args[0], http.MethodGet, native.Path("archive", args[0]), p.Query(), nil, &a); err != nil {
				return err
			}
			t := &out.Table{One: true, Columns: weighedColumns()}
			addWeighed(t, &a, o.Format == "table")
			return o.Print(t)
		},
	}
	p.Bind(c)
	return c
}

func archiveDelete(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var yes bool
	c := &cobra.Command{
		Use:   "delete NAME...",
		Short: "Delete archives with their copies; a bus keeps its own events as long as it says itself",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return fail.Usagef("what only these archives keep will be gone: repeat it with --yes")
			}
			t := &out.Table{Columns: []out.Column{{Field: "name", Title: "ARCHIVE"}, {Field: "result", Title: "RESULT"}}}
			return o.Each(t, args, func(name string) error {
				if err := o.Ask(cmd.Context(), p.HTTP, "cannot delete archive "+name, http.MethodDelete, native.Path("archive", name), p.Query(), nil, nil); err != nil {
					return err
				}
				t.Add(name, "deleted")
				return nil
			})
		},
	}
	p.Bind(c)
	c.Flags().BoolVar(&yes, "yes", false, "do it")
	return c
}
