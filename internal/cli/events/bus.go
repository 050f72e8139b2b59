package events

import (
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/event/bus"
	"ottla/internal/event/letter"
	"ottla/internal/gateway/rest"
)

// BusCommand is the noun bus.
func BusCommand(o *ask.Options) *cobra.Command {
	list := busList(o)
	c := ask.Noun("bus", "buses", "Buses: events come in, and rules take them where they are to go",
		busCreate(o), list, busDescribe(o), busAlter(o), busDelete(o))
	return ask.PluralLists(c, list)
}

func busList(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var prefix string
	c := &cobra.Command{
		Use:   "list",
		Short: "List buses; the bus default is always there",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := &out.Table{Columns: []out.Column{
				{Field: "name", Title: "NAME"}, {Field: "topic", Title: "TOPIC"}, {Field: "partitions", Title: "PARTITIONS", Right: true},
				{Field: "retention", Title: "RETENTION", Right: true}, {Field: "dead_letters", Title: "DEAD LETTERS"}, {Field: "description", Title: "DESCRIPTION"}, {Field: "arn"},
			}}
			query := p.Query()
			query.Set("prefix", prefix)
			return ask.PrintPages(cmd.Context(), o, t, p.HTTP, "cannot list buses", "/bus", query, func(page *rest.Buses) string {
				for i := range page.Buses {
					b := &page.Buses[i]
					t.Add(b.Name, b.Topic, b.Partitions, retentionOf(b.RetentionMs), ask.OrNil(b.DeadLetters), ask.OrNil(b.Description), b.ARN)
				}
				return page.Next
			})
		},
	}
	p.Bind(c)
	c.Flags().StringVar(&prefix, "prefix", "", "only buses whose names begin so")
	return c
}

// retentionOf is how long events stay; nil where the topic says it.
func retentionOf(ms int64) any {
	if ms < 0 {
		return "for ever"
	}
	return ask.InWords(ms)
}

// retention reads how long events stay: 90m, 7d, or forever, which is never given
// back as a number.
func retention(flag, text string, forever int64) (int64, error) {
	if text == "forever" {
		return forever, nil
	}
	d, err := letter.Duration(text)
	if err != nil || d <= 0 {
		return 0, fail.Usagef("--%s %s: want a number with its unit, as in 12h or 7d, or forever", flag, text)
	}
	return d.Milliseconds(), nil
}

func busTable(b *rest.Bus) *out.Table {
	t := &out.Table{One: true, Columns: []out.Column{
		{Field: "name", Title: "NAME"}, {Field: "topic", Title: "TOPIC"}, {Field: "adopted"}, {Field: "partitions", Title: "PARTITIONS"},
		{Field: "retention_ms"}, {Field: "retention", Title: "RETENTION"}, {Field: "dead_letters", Title: "DEAD LETTERS"}, {Field: "description", Title: "DESCRIPTION"},
		{Field: "tags"}, {Field: "policy"}, {Field: "arn", Title: "ARN"}, {Field: "created"}, {Field: "modified"},
	}}
	t.Add(b.Name, b.Topic, b.Adopted, b.Partitions, b.RetentionMs, retentionOf(b.RetentionMs), ask.OrNil(b.DeadLetters), ask.OrNil(b.Description),
		b.Tags, ask.OrNil(b.Policy), b.ARN, ask.TimeOf(b.CreatedMs), ask.TimeOf(b.ModifiedMs))
	return t
}

// busSpecFlags are what a bus is told to be.
type busSpecFlags struct {
	retention, dead, description string
	tags                         []string
}

func (s *busSpecFlags) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&s.retention, "retention", "", "how long events are kept: 12h, 7d, forever (7d)")
	f.StringVar(&s.dead, "dead-letters", "", "queue for events that no target's own takes, by name or ARN; \"none\" takes it back")
	f.StringVar(&s.description, "description", "", "what it is for")
	f.StringArrayVar(&s.tags, "tag", nil, "a tag as KEY=VALUE, may be repeated")
}

// fields are those that were given, as the native door takes them.
func (s *busSpecFlags) fields(c *cobra.Command) (map[string]any, error) {
	out := map[string]any{}
	if c.Flags().Changed("retention") {
		ms, err := retention("retention", s.retention, -1)
		if err != nil {
			return nil, err
		}
		out["retention_ms"] = ms
	}
	if c.Flags().Changed("dead-letters") {
		out["dead_letters"] = noneOf(s.dead)
	}
	if c.Flags().Changed("description") {
		out["description"] = s.description
	}
	if len(s.tags) > 0 {
		tags, err := pairs("tag", s.tags)
		if err != nil {
			return nil, err
		}
		out["tags"] = tags
	}
	return out, nil
}

// noneOf is "" for none.
func noneOf(text string) string {
	if text == "none" {
		return ""
	}
	return text
}

// pairs reads KEY=VALUE words.
func pairs(flag string, words []string) (map[string]string, error) {
	out := map[string]string{}
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok || key == "" {
			return nil, fail.Usagef("--%s %s: want KEY=VALUE", flag, w)
		}
		out[key] = value
	}
	return out, nil
}

func busCreate(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var s busSpecFlags
	var topic string
	var partitions int32
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Create a bus: its events are the records of a topic",
		Long: "Create a bus. Its events are the records of the topic of its name, which is made unless it is\n" +
			"there; --topic adopts another. With more than one partition events keep their order by the\n" +
			"extension partitionkey, else by their source.",
		Example: "  ottla bus create shop\n  ottla bus create orders --topic orders --dead-letters failed",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := s.fields(cmd)
			if err != nil {
				return err
			}
			if topic != "" {
				body["topic"] = topic
			}
			if cmd.Flags().Changed("partitions") {
				if partitions < 1 {
					return fail.Usagef("--partitions %d: want a number from 1", partitions)
				}
				body["partitions"] = partitions
			}
			return tellBus(o, cmd, &p, "cannot create bus "+args[0], http.MethodPut, args[0], body)
		},
	}
	p.Bind(c)
	s.bind(c)
	c.Flags().StringVar(&topic, "topic", "", "topic that is there already and whose records are the events")
	c.Flags().Int32Var(&partitions, "partitions", 0, "partitions of the topic, when it is made (1)")
	return c
}

// tellBus asks for a bus and shows it.
func tellBus(o *ask.Options, cmd *cobra.Command, p *ask.PlaceFlags, what, method, name string, body any) error {
	var b rest.Bus
	if err := o.Ask(cmd.Context(), p.HTTP, what, method, ask.BusPath(name), p.Query(), body, &b); err != nil {
		return err
	}
	return o.Print(busTable(&b))
}

func busAlter(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var s busSpecFlags
	c := &cobra.Command{
		Use:   "alter NAME",
		Short: "Change what is said of a bus; the rest stays",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, err := s.fields(cmd)
			if err != nil {
				return err
			}
			if len(body) == 0 {
				return fail.Usagef("nothing is to be changed: give --retention, --dead-letters, --description or --tag")
			}
			return tellBus(o, cmd, &p, "cannot alter bus "+args[0], http.MethodPatch, args[0], body)
		},
	}
	p.Bind(c)
	s.bind(c)
	return c
}

func busDescribe(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show a bus, and its rules",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := tellBus(o, cmd, &p, "cannot describe bus "+args[0], http.MethodGet, args[0], nil); err != nil || o.Format != "table" {
				return err
			}
			rules, err := rulesOf(cmd.Context(), o, &p, args[0], "")
			if err != nil {
				return err
			}
			return o.Print(rulesTable(rules))
		},
	}
	p.Bind(c)
	return c
}

func busDelete(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var force bool
	c := &cobra.Command{
		Use:   "delete NAME...",
		Short: "Delete buses, with their topics unless these were adopted",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := &out.Table{Columns: []out.Column{{Field: "name", Title: "NAME"}, {Field: "result", Title: "RESULT"}}}
			query := p.Query()
			if force {
				query.Set("force", "true")
			}
			return o.Each(t, args, func(name string) error {
				if err := o.Ask(cmd.Context(), p.HTTP, "cannot delete bus "+name, http.MethodDelete, ask.BusPath(name), query, nil, nil); err != nil {
					return err
				}
				t.Add(name, "deleted")
				return nil
			})
		},
	}
	p.Bind(c)
	c.Flags().BoolVar(&force, "force", false, "delete its rules and archives with it")
	return c
}

// orDefault is the bus that is meant when none is said.
func orDefault(name string) string {
	if name == "" {
		return bus.Default
	}
	return name
}
