package queues

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/dlq"
	"ottla/internal/cli/out"
	"ottla/internal/gateway/rest"
)

// DLQCommand is the noun dlq: dead letters, of queues and of share groups.
func DLQCommand(o *ask.Options) *cobra.Command {
	c := ask.Noun("dlq", "", "Dead letters of queues, rules, schedules and share groups: list and show them, mend them, put them back",
		dlqList(o), dlqShow(o), dlqEdit(o), dlqRedrive(o), dlqMoves(o), dlqCancel(o))
	c.Aliases = nil
	return c
}

func dlqList(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List all places for dead letters, with how much waits there, for how long and why",
		Long: "List all places for dead letters: the queues that queues, schedules, buses, rules and\n" +
			"subscriptions of SNS topics name for theirs, and the topics that\n" +
			"share groups name. Reasons are those of the first thousand letters of a place.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := &out.Table{Empty: "nobody has a place for dead letters (--dead-letters QUEUE of ottla queue create, rule put, schedule put; errors.deadletterqueue.topic.name of a group)", Columns: []out.Column{
				{Field: "place", Title: "PLACE"}, {Field: "kind", Title: "KIND"}, {Field: "topic"}, {Field: "groups", Title: "OF"}, {Field: "exists"},
				{Field: "waiting", Title: "WAITING", Right: true}, {Field: "in_flight", Title: "IN FLIGHT", Right: true}, {Field: "oldest"}, {Field: "oldest_seconds"},
				{Field: "age", Title: "OLDEST", Right: true}, {Field: "reasons", Title: "REASONS"},
			}}
			if err := addGroupPlaces(cmd.Context(), o, t); err != nil {
				return err
			}
			err := addQueuePlaces(cmd.Context(), o, &q, t)
			if err != nil && q.HTTP != "" {
				return err
			}
			slices.SortStableFunc(t.Rows, func(a, b []any) int { return cmp.Compare(fmt.Sprint(a[0]), fmt.Sprint(b[0])) })
			if err != nil { // a cluster without an HTTP port has dead letters, too
				fmt.Fprintln(o.Err, "those of queues are not shown: "+err.Error())
			}
			return o.Print(t)
		},
	}
	q.Bind(c)
	return c
}

// addQueuePlaces adds the queues that others name for their dead letters.
func addQueuePlaces(ctx context.Context, o *ask.Options, q *ask.QueueFlags, t *out.Table) error {
	all, err := deadQueues(ctx, o, q, true)
	if err != nil {
		return err
	}
	now := time.Now()
	for i := range all {
		d := &all[i]
		var waiting, flying, oldest, seconds, shown any
		if c := d.Counts; c != nil {
			waiting, flying = c.Waiting+c.Delayed, c.InFlight
			if c.OldestMs >= 0 {
				oldest, seconds, shown = timeAndAge(now.Add(-time.Duration(c.OldestMs)*time.Millisecond), now)
			}
		}
		t.Add(d.Queue, "queue", ask.OrNil(d.Topic), someOf(o, d.Sources), d.Counts != nil, waiting, flying, oldest, seconds, shown, countedReasons(o, d.Reasons))
	}
	return nil
}

// someOf are those who name a place: for people the first few, and how many more; a queue
// may be that of a thousand rules.
func someOf(o *ask.Options, sources []string) any {
	const shown = 3
	if more := len(sources) - shown; o.Format == "table" && more > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(sources[:shown], ","), more)
	}
	return sources
}

// deadQueues asks for the queues that others name for their dead letters.
func deadQueues(ctx context.Context, o *ask.Options, q *ask.QueueFlags, reasons bool) ([]rest.DeadLetters, error) {
	query := q.Query()
	if reasons {
		query.Set("reasons", "true")
	}
	var all rest.AllDeadLetters
	err := o.Ask(ctx, q.HTTP, "cannot list dead letters of queues", "GET", "/dlq", query, nil, &all)
	return all.DeadLetters, err
}

// addGroupPlaces adds the topics that share groups name.
func addGroupPlaces(ctx context.Context, o *ask.Options, t *out.Table) error {
	c, a, err := o.Asking(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	named, err := dlq.Named(ctx, c, a)
	if err != nil {
		return ask.KafkaFailure("cannot list dead letters", err)
	}
	topics := dlq.ByTopic(named)
	for _, topic := range slices.Sorted(maps.Keys(topics)) {
		q, err := dlq.Look(ctx, a, topic, topics[topic])
		if err != nil {
			return ask.KafkaFailure("cannot look into "+topic, err)
		}
		found, err := q.Letters(ctx, o.Connect, nil, mostReasons, false, o.Timeout)
		if err != nil {
			return ask.KafkaFailure("cannot look into "+topic, err)
		}
		reasons, first := map[string]int{}, time.Time{}
		for _, l := range found {
			reasons[l.Reason]++
			if first.IsZero() || l.Time.Before(first) {
				first = l.Time
			}
		}
		if len(found) == mostReasons { // older ones may lie in other partitions
			if first, err = q.Oldest(ctx, o.Connect, o.Timeout); err != nil {
				return ask.KafkaFailure("cannot look into "+topic, err)
			}
		}
		oldest, seconds, shown := timeAndAge(first, time.Now())
		t.Add(topic, "topic", topic, q.Groups, q.Exists, q.Waiting(), nil, oldest, seconds, shown, countedReasons(o, reasons))
	}
	return nil
}

// mostReasons is how many letters of a topic are read to say why they are there.
const mostReasons = 1000

// countedReasons are why letters are there: for people the most frequent ones.
func countedReasons(o *ask.Options, all map[string]int) any {
	if len(all) == 0 {
		return nil
	}
	if o.Format != "table" {
		return all
	}
	names := slices.SortedFunc(maps.Keys(all), func(a, b string) int { return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b)) })
	const most = 2
	var words []string
	for _, name := range names[:min(len(names), most)] {
		words = append(words, fmt.Sprintf("%d: %s", all[name], cmp.Or(name, "not said")))
	}
	if more := len(names) - most; more > 0 {
		words = append(words, ask.CountWord(int64(more), "other reason"))
	}
	return strings.Join(words, "; ")
}

// timeAndAge is a time and how long ago it is: for programs, in seconds, and
// for people; nil for no time.
func timeAndAge(at, now time.Time) (when, seconds, shown any) {
	if at.IsZero() {
		return nil, nil, nil
	}
	d := max(0, now.Sub(at))
	return at.UTC().Format(time.RFC3339Nano), d.Seconds(), ask.Age(d)
}

// shortly is a key or value on a line of a table.
func shortly(b []byte) any {
	const most = 40
	if b == nil {
		return nil
	}
	text := ask.Shown(b)
	if strings.ContainsAny(text, "\n\t") {
		text = strconv.Quote(text)
	}
	runes := []rune(text)
	if len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return string(runes)
}

// completeLetters completes topics for dead letters and groups that name one.
func completeLetters(o *ask.Options) ask.Completion {
	names := o.Live(func(ctx context.Context, a *kadm.Client) ([]string, error) {
		c, err := o.Connect(ctx)
		if err != nil {
			return nil, fmt.Errorf("complete: %w", err)
		}
		defer c.Close()
		named, err := dlq.Named(ctx, c, a) // queues are completed by nobody: they need another address
		names := slices.Sorted(maps.Keys(named))
		return append(names, slices.Sorted(maps.Keys(dlq.ByTopic(named)))...), err
	})
	return func(cmd *cobra.Command, taken []string, word string) ([]string, cobra.ShellCompDirective) {
		if len(taken) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return names(cmd, taken, word)
	}
}
