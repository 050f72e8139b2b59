package queues

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/event/letter"
	"ottla/internal/event/line"
	"ottla/internal/gateway/rest"
)

func number(n int) string { return strconv.Itoa(n) }

// shownLetter is a letter with what is known of it where it lies.
type shownLetter struct {
	*letter.Letter
	condition string
	until     any
}

func dlqShow(o *ask.Options) *cobra.Command {
	var q ask.QueueFlags
	var where []string
	var most int
	var all bool
	c := &cobra.Command{
		Use:   "show PLACE",
		Short: "Show dead letters: what was given up, from where, by whom, why, after how many deliveries",
		Long: "Show the dead letters of a place that wait: each with its record, where that came from, who gave\n" +
			"it up, why, and how often it had been delivered. A place is a queue or topic for dead letters; the\n" +
			"name of a queue or share group that has one means its letters there.",
		Example:           "  ottla dlq show payments -n 5\n  ottla dlq show billing-dead --where 'attempts>3' --where body.customer=7\n  ottla dlq show dlq.payments --where older=1h -o json",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLetters(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			if most < 0 {
				return fail.Usagef("-n %d: give the number of letters, or 0 for all", most)
			}
			c, a, err := o.Asking(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			p, err := placeOf(cmd.Context(), o, c, a, &q, args[0], where)
			if err != nil {
				return err
			}
			var found []shownLetter
			if p.queue != nil {
				found, err = lettersOfQueue(cmd.Context(), o, &q, p, most)
			} else {
				found, err = lettersOfTopic(cmd.Context(), o, p, args[0], most, all)
			}
			if err != nil {
				return err
			}
			return o.Print(letterTable(found, time.Now(), o.Format == "table"))
		},
	}
	q.Bind(c)
	c.Flags().IntVarP(&most, "number", "n", 20, "how many at most, 0 for all")
	c.Flags().BoolVar(&all, "all", false, "also those of share groups that were put back")
	bindWhere(c, &where)
	return c
}

// lettersOfQueue reads the letters that wait in a queue for dead letters; one that cannot
// be read fails all of them, when the others have been looked at.
func lettersOfQueue(ctx context.Context, o *ask.Options, q *ask.QueueFlags, p *place, most int) (found []shownLetter, err error) {
	var failed error
	err = queueLetters(ctx, o, q, p, most, func(some []rest.Letter) {
		for i := range some {
			l, err := letterOf(&some[i])
			if err != nil {
				failed = err
				continue
			}
			s := shownLetter{l, some[i].Condition, nil}
			if some[i].UntilMs > 0 {
				s.until = time.UnixMilli(some[i].UntilMs).UTC().Format(time.RFC3339Nano)
			}
			found = append(found, s)
		}
	})
	if err == nil {
		err = failed
	}
	return found, err
}

// lettersOfTopic reads the letters of a topic for dead letters; with all, also those that
// were put back.
func lettersOfTopic(ctx context.Context, o *ask.Options, p *place, name string, most int, all bool) (found []shownLetter, err error) {
	letters, err := p.topic.Letters(ctx, o.Connect, p.filter, most, all, o.Timeout)
	if err != nil {
		return nil, ask.KafkaFailure("cannot show dead letters of "+name, err)
	}
	for _, l := range letters {
		condition := "waiting"
		if p.topic.Done(l) {
			condition = "put back"
		}
		found = append(found, shownLetter{l, condition, nil})
	}
	return found, nil
}

func bindWhere(c *cobra.Command, where *[]string) {
	c.Flags().StringArrayVar(where, "where", nil, "only letters with reason=PART, attempts>3, older=1h, newer=1h, key=KEY, topic=NAME, partition=N, group=NAME, "+
		"header.NAME=TEXT, body.FIELD=VALUE (JSON) or body~PART; may be repeated, all must hold")
}

// letterTable has a row for each letter; for people, keys and values are cut.
func letterTable(all []shownLetter, now time.Time, people bool) *out.Table {
	t := &out.Table{Empty: "no dead letters wait", Columns: []out.Column{
		{Field: "letter", Title: "LETTER"}, {Field: "topic"}, {Field: "partition"}, {Field: "offset"},
		{Field: "time"}, {Field: "age_seconds"}, {Field: "age", Title: "AGE", Right: true},
		{Field: "origin", Title: "FROM"}, {Field: "origin_topic"}, {Field: "origin_partition"}, {Field: "origin_offset"},
		{Field: "group", Title: "GROUP"}, {Field: "deliveries", Title: "ATTEMPTS", Right: true}, {Field: "reason", Title: "REASON"},
		{Field: "condition", Title: "STATE"}, {Field: "until"}, {Field: "id"},
		{Field: "key", Title: "KEY"}, {Field: "key_base64"}, {Field: "value", Title: "VALUE"}, {Field: "value_base64"}, {Field: "headers"},
	}}
	for i := range all {
		l := &all[i]
		form := line.Of(&kgo.Record{Key: l.Key, Value: l.Value, Headers: l.Headers})
		headers := form.Headers
		if headers == nil {
			headers = []line.Header{}
		}
		key, value := ask.Pointed(form.Key), ask.Pointed(form.Value)
		if people {
			key, value = shortly(l.Key), shortly(l.Value)
		}
		when, seconds, ago := timeAndAge(l.Time, now)
		t.Add(l.Name(), l.Topic, l.Partition, l.Offset, when, seconds, ago,
			ask.OrNil(l.Origin()), ask.OrNil(l.OriginTopic), ask.NotNegative(int64(l.OriginPartition)), ask.NotNegative(l.OriginOffset),
			ask.OrNil(l.Group), ask.NotNegative(l.Deliveries), ask.OrNil(l.Reason), l.condition, l.until, ask.OrNil(l.ID),
			key, ask.Pointed(form.KeyBase64), value, ask.Pointed(form.ValueBase64), headers)
	}
	return t
}
