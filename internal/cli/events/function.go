package events

import (
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/letter"
	"ottla/internal/event/mapping"
	"ottla/internal/gateway/rest"
)

// FunctionCommand is the noun function.
func FunctionCommand(o *ask.Options) *cobra.Command {
	list := functionMappings(o)
	return ask.PluralLists(ask.Noun("function", "functions", "Functions that take what lies in queues and topics, as Lambda does",
		functionMap(o), list, functionDescribe(o), functionPause(o, "pause", "Have mappings rest; what lies in their sources waits"),
		functionPause(o, "resume", "Have mappings that rest go on where they were"), ask.DeleteEach(o, "mapping", "unmap MAPPING...", "Delete mappings; what lies in their sources stays")), list)
}

func mappingColumns() []out.Column {
	return []out.Column{
		{Field: "name", Title: "MAPPING"}, {Field: "source", Title: "SOURCE"}, {Field: "function", Title: "FUNCTION"}, {Field: "state", Title: "STATE"},
		{Field: "batch", Title: "BATCH"}, {Field: "window", Title: "WINDOW"}, {Field: "group", Title: "GROUP"}, {Field: "problem", Title: "PROBLEM"},
	}
}

func addMapping(t *out.Table, m *rest.Mapping, more ...any) {
	state := "enabled"
	if m.Paused {
		state = "paused"
	}
	t.Add(append([]any{m.Name, m.Source, m.Function, state, m.Batch, shortOf(m.WindowMs), ask.OrNil(m.Group), ask.OrNil(m.Problem)}, more...)...)
}

// shortOf is a time as flags take it; nil for none.
func shortOf(ms int64) any {
	if ms == 0 {
		return nil
	}
	return (time.Duration(ms) * time.Millisecond).String()
}

// timeFlag is a time that a flag takes, in days too.
type timeFlag time.Duration

func (s *timeFlag) Set(text string) error {
	d, err := letter.Duration(text)
	*s = timeFlag(d)
	return err
}

// String leaves out what is nothing: that is no default to tell of.
func (s *timeFlag) String() string {
	if *s == 0 {
		return ""
	}
	return time.Duration(*s).String()
}

// Type is how help calls it.
func (s *timeFlag) Type() string { return "duration" }

// mappingTable shows one mapping whole.
func mappingTable(m *rest.Mapping) *out.Table {
	t := &out.Table{One: true, Columns: append(mappingColumns(), []out.Column{
		{Field: "report_failures", Title: "REPORTS FAILURES"}, {Field: "deadline", Title: "DEADLINE"}, {Field: "concurrency", Title: "CONCURRENCY"},
		{Field: "from", Title: "FROM"}, {Field: "bisect", Title: "BISECT"}, {Field: "retries", Title: "RETRIES"}, {Field: "max_age", Title: "MAX AGE"},
		{Field: "filters", Title: "FILTERS"}, {Field: "dead_letters", Title: "DEAD LETTERS"}, {Field: "description", Title: "DESCRIPTION"}, {Field: "problem_since", Title: "PROBLEM SINCE"},
		{Field: "created", Title: "CREATED"}, {Field: "arn", Title: "ARN"},
	}...)}
	var concurrency, retries, filters, since any
	if len(m.Filters) > 0 {
		filters = m.Filters
	}
	if m.Concurrency > 0 {
		concurrency = m.Concurrency
	}
	if m.Retries != nil {
		retries = *m.Retries
	}
	if m.Problem != "" {
		since = ask.TimeOf(m.SinceMs)
	}
	addMapping(t, m, m.ReportFailures, shortOf(m.DeadlineMs), concurrency, ask.OrNil(m.From), m.Bisect, retries, shortOf(m.MaxAgeMs), filters, ask.OrNil(m.DeadLetters), ask.OrNil(m.Description),
		since, ask.TimeOf(m.CreatedMs), m.ARN)
	return t
}

func functionMap(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var called string
	var window, deadline, maxAge time.Duration
	var retries int
	var filters []string
	var spec mapping.Spec
	c := &cobra.Command{
		Use:   "map queue:NAME|topic:NAME FUNCTION",
		Short: "Have a function take the messages of a queue, or the records of a topic",
		Long: "Have a function that the server's file declares take the messages of a queue, or the records of\n" +
			"a topic, in batches and in Lambda's shapes. Given again it changes the mapping, which is then as\n" +
			"the flags say.\n" +
			"Messages that failed come again when the queue's visibility timeout is over; records of a topic\n" +
			"are tried in order, until they are taken or given up. With --filter the function gets only those\n" +
			"that fit one of the patterns: other messages are deleted, other records passed over.",
		Example: "  ottla function map queue:orders invoice --batch 10 --report-failures\n" +
			"  ottla function map topic:clicks score --batch 500 --window 2s --bisect --retries 5 --dead-letters queue:bad-clicks",
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			spec.Source, spec.Function = args[0], args[1]
			_, of, ok := strings.Cut(args[0], ":")
			if !ok || of == "" {
				return fail.Usagef("%s is no source: want queue:NAME or topic:NAME", args[0])
			}
			if called == "" {
				called = of + "-" + args[1]
			}
			spec.WindowMs, spec.DeadlineMs, spec.MaxAgeMs = window.Milliseconds(), deadline.Milliseconds(), maxAge.Milliseconds()
			spec.Filters = nil
			for _, f := range filters {
				text, err := textOf("--filter", f, o.In)
				if err != nil {
					return err
				}
				spec.Filters = append(spec.Filters, strings.TrimSpace(string(text)))
			}
			if cmd.Flags().Changed("retries") {
				spec.Retries = &retries
			}
			if spec.DeadLetters != "" && !strings.Contains(spec.DeadLetters, ":") {
				spec.DeadLetters = "queue:" + spec.DeadLetters
			}
			var m rest.Mapping
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot map "+args[0]+" to "+args[1], http.MethodPut, native.Path("mapping", called), p.Query(), spec, &m); err != nil {
				return err
			}
			return o.Print(mappingTable(&m))
		},
	}
	p.Bind(c)
	f := c.Flags()
	f.StringVar(&called, "name", "", "name of the mapping (that of the source, - and the function's)")
	f.IntVar(&spec.Batch, "batch", 0, "messages or records of one call at most (10, of a topic 100)")
	f.Var((*timeFlag)(&window), "window", "how long the first of a batch waits for others")
	f.BoolVar(&spec.ReportFailures, "report-failures", false, "the function answers which of a batch failed (batchItemFailures)")
	f.Var((*timeFlag)(&deadline), "deadline", "how long a call may take (1m)")
	f.IntVar(&spec.Concurrency, "concurrency", 0, "calls at once, of a queue (5)")
	f.StringVar(&spec.From, "from", "", "where a topic is begun: latest, earliest, or a time as 2026-11-26T12:00:00Z (latest)")
	f.StringVar(&spec.Group, "group", "", "consumer group of a topic (function.NAME)")
	f.StringArrayVar(&filters, "filter", nil, "pattern of what the function gets: JSON as {\"body\":{\"kind\":[\"paid\"]}}, of a topic of its key, value and headers; @FILE, or - for standard input; may be given again")
	f.BoolVar(&spec.Bisect, "bisect", false, "halve a batch of a topic that failed, until the record that is to blame is alone")
	f.IntVar(&retries, "retries", 0, "attempts of a topic's records after the first (no bound)")
	f.Var((*timeFlag)(&maxAge), "max-age", "how old a topic's records become before they are given up, as 90s or 4d (no bound)")
	f.StringVar(&spec.DeadLetters, "dead-letters", "", "queue for records of a topic that are given up")
	f.StringVar(&spec.Description, "description", "", "what it is for")
	f.BoolVar(&spec.Paused, "paused", false, "let it rest until it is resumed")
	return c
}

func functionMappings(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List which functions take from which queues and topics",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := &out.Table{Empty: "no mappings yet: make one with \"ottla function map queue:NAME FUNCTION\"", Columns: mappingColumns()}
			query := p.Query()
			return ask.PrintPages(cmd.Context(), o, t, p.HTTP, "cannot list mappings", "/mapping", query, func(page *rest.Mappings) string {
				for i := range page.Mappings {
					addMapping(t, &page.Mappings[i])
				}
				return page.Next
			})
		},
	}
	p.Bind(c)
	return c
}

func functionDescribe(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "describe MAPPING",
		Short: "Show a mapping; its problem, if the last call had one, at the node that carries it out",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var m rest.Mapping
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot describe mapping "+args[0], http.MethodGet, native.Path("mapping", args[0]), p.Query(), nil, &m); err != nil {
				return err
			}
			return o.Print(mappingTable(&m))
		},
	}
	p.Bind(c)
	return c
}

func functionPause(o *ask.Options, verb, short string) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   verb + " MAPPING...",
		Short: short,
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			t := &out.Table{Columns: mappingColumns()}
			return o.Each(t, args, func(called string) error {
				var m rest.Mapping
				if err := o.Ask(cmd.Context(), p.HTTP, "cannot "+verb+" mapping "+called, http.MethodPost, native.Path("mapping", called, verb), p.Query(), nil, &m); err != nil {
					return err
				}
				addMapping(t, &m)
				return nil
			})
		},
	}
	p.Bind(c)
	return c
}
