package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/dlq"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

type redriveFlags struct {
	where       []string
	to          string
	rate        int
	dryRun, yes bool
}

func dlqRedrive(o *options) *cobra.Command {
	var r redriveFlags
	c := &cobra.Command{
		Use:   "redrive TOPIC|GROUP",
		Short: "Put dead letters back into the topics that they came from, after showing how many",
		Long: "Put the dead letters of a topic, or those of a group, back into the topics and partitions that\n" +
			"they came from, where every group that reads these gets them again. Headers of the letter are\n" +
			"taken off; ottla.redrive.* tell where the record was given up, by whom and why. Letters stay\n" +
			"where they are until retention takes them, and are not put back again: how far it came is\n" +
			"committed in group ottla-redrive.TOPIC (and forgotten offsets.retention.minutes after the last\n" +
			"redrive). Delivery is at least once: a redrive that is killed goes on where it stopped and may\n" +
			"put some letters back twice, as may two of the same topic at once. How many go is shown first;\n" +
			"in a terminal you are asked, elsewhere it is done at once (--dry-run only shows).",
		Example: "  ottla dlq redrive payments --dry-run\n  ottla dlq redrive payments --where key=order-17\n" +
			"  ottla dlq redrive dlq.payments --where reason=rejected --to payments-again --rate 100 --yes",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.completeLetters,
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.rate < 0 {
				return fail.Usagef("--rate %d: give records a second, or 0 for no limit", r.rate)
			}
			return o.redrive(cmd.Context(), args[0], &r)
		},
	}
	f := c.Flags()
	f.StringVar(&r.to, "to", "", "put them all into this topic, by their keys")
	f.IntVar(&r.rate, "rate", 0, "records a second at most (0 for no limit)")
	f.BoolVar(&r.dryRun, "dry-run", false, "only show what would be put back")
	f.BoolVarP(&r.yes, "yes", "y", false, "do not ask")
	bindWhere(c, &r.where)
	return c
}

func (o *options) redrive(ctx context.Context, name string, r *redriveFlags) error {
	c, a, err := o.asking(ctx, kgo.RecordPartitioner(dlq.Partitioner()), kgo.RecordDeliveryTimeout(o.timeout))
	if err != nil {
		return err
	}
	defer c.Close()
	q, f, err := o.queue(ctx, c, a, name, r.where)
	if err != nil {
		return err
	}
	if r.to == q.Topic {
		return fail.Usagef("--to %s: that is where the letters are", r.to)
	}
	if queues, err := dlq.OfQueue(ctx, c, q.Topic); err != nil {
		return kafkaFailure("cannot put back dead letters of "+name, err)
	} else if queues {
		return fail.New(fail.Failed, "cannot put back dead letters of "+name, "the topic "+q.Topic+" is that of a queue, which would keep them",
			"\"ottla queue move start "+q.Topic+"\" puts them back, each once")
	}
	goOn, err := o.agreedLetters(ctx, q, f, r)
	if err != nil || !goOn {
		return err
	}
	d := &dlq.Redrive{Filter: f, To: r.to, Rate: r.rate, Within: o.timeout, Open: o.connect, Client: c, Admin: a}
	done, err := d.Run(ctx, q)
	t := redriveTable()
	for _, to := range slices.Sorted(maps.Keys(done.To)) {
		t.Add(q.Topic, to, done.To[to], "put back")
	}
	var failures []error
	if err != nil {
		failures = append(failures, kafkaFailure("the redrive of "+name+" stopped; run it again to go on", err))
	}
	if done.Failed > 0 {
		failures = append(failures, fail.New(fail.Failed, countWord(done.Failed, "letter")+" could not be put back and still wait", done.Why.Error(),
			"put the cause right and run it again, or name another topic with --to"))
	}
	if len(failures) == 0 && len(t.Rows) == 0 {
		return o.print(t)
	}
	return o.printPartly(t, failures)
}

func redriveTable() *out.Table {
	return &out.Table{Empty: "no dead letters to put back", Columns: []out.Column{
		{Field: "topic", Title: "FROM"}, {Field: "to", Title: "TO"}, {Field: "letters", Title: "LETTERS", Right: true}, {Field: "result", Title: "RESULT"},
	}}
}

// agreedLetters shows what would be put back where only that is wanted, or
// where a person can be asked, and asks. Elsewhere it is done, without reading
// all letters twice.
func (o *options) agreedLetters(ctx context.Context, q *dlq.Queue, f dlq.Filter, r *redriveFlags) (bool, error) {
	asks := !r.yes && o.format == "table" && terminal(o.in) && terminal(o.out)
	if !r.dryRun && !asks {
		return true, nil
	}
	n, err := q.Count(ctx, o.connect, f, r.to, o.timeout)
	if err != nil {
		return false, kafkaFailure("cannot read dead letters of "+q.Topic, err)
	}
	var total int64
	question := redriveTable()
	for _, to := range slices.Sorted(maps.Keys(n)) {
		question.Add(q.Topic, orNil(to), n[to], "would be put back")
		total += n[to]
	}
	return o.agreed(r.dryRun || total == 0, r.yes, fmt.Sprintf("put %s back?", countWord(total, "letter")),
		func(string) *out.Table { return question })
}
