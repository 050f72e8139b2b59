package queues

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/dlq"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

type redriveFlags struct {
	ask.QueueFlags
	where       []string
	to          string
	rate        int32
	dryRun, yes bool
	detach      bool
}

func dlqRedrive(o *ask.Options) *cobra.Command {
	var r redriveFlags
	c := &cobra.Command{
		Use:   "redrive PLACE",
		Short: "Put dead letters back where they came from, after showing how many",
		Long: "Put the dead letters of a place back where they came from: those of queues into their topics, those\n" +
			"of share groups into the topics and partitions they came from, where every group that reads these\n" +
			"gets them again. Each is put back once, whatever is killed meanwhile. Letters of a queue are moved\n" +
			"by a task of the node, which goes on when this command ends (--detach ends it at once, \"ottla dlq\n" +
			"moves\" shows it, \"ottla dlq cancel\" ends it). Letters of share groups stay in their topic until\n" +
			"retention takes them, and are not put back again: how far it came is committed in group\n" +
			"ottla-redrive.TOPIC (and forgotten offsets.retention.minutes after the last redrive);\n" +
			"ottla.redrive.* headers of the records tell where they were given up, by whom and why. How many\n" +
			"go is shown first; in a terminal you are asked, elsewhere it is done at once (--dry-run only shows).",
		Example: "  ottla dlq redrive payments --dry-run\n  ottla dlq redrive billing-dead --where 'attempts>3' --where body.customer=7 --rate 100\n" +
			"  ottla dlq redrive dlq.payments --where reason=rejected --to payments-again --yes",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeLetters(o),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.rate < 0 {
				return fail.Usagef("--rate %d: give records a second, or 0 for no limit", r.rate)
			}
			return redrive(cmd.Context(), o, args[0], &r)
		},
	}
	r.Bind(c)
	f := c.Flags()
	f.StringVar(&r.to, "to", "", "put them all into this queue, or for share groups into this topic by their keys")
	f.Int32Var(&r.rate, "rate", 0, "records a second at most (0 for no limit)")
	f.BoolVar(&r.dryRun, "dry-run", false, "only show what would be put back")
	f.BoolVarP(&r.yes, "yes", "y", false, "do not ask")
	f.BoolVar(&r.detach, "detach", false, "of a queue: do not wait until all are put back")
	bindWhere(c, &r.where)
	return c
}

func redrive(ctx context.Context, o *ask.Options, name string, r *redriveFlags) error {
	c, a, err := o.Asking(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	p, err := placeOf(ctx, o, c, a, &r.QueueFlags, name, r.where)
	if err != nil {
		return err
	}
	if p.queue != nil {
		return redriveQueue(ctx, o, p, r)
	}
	q := p.topic
	if r.to == q.Topic {
		return fail.Usagef("--to %s: that is where the letters are", r.to)
	}
	goOn, err := agreedLetters(ctx, o, q, p.filter, r)
	if err != nil || !goOn {
		return err
	}
	w, err := o.Connect(ctx, append(dlq.Producing(q.Topic), kgo.RecordDeliveryTimeout(o.Timeout))...)
	if err != nil {
		return err
	}
	defer w.Close()
	d := &dlq.Redrive{Filter: p.filter, To: r.to, Rate: int(r.rate), Within: o.Timeout, Open: o.Connect, Client: w, Admin: a}
	done, err := d.Run(ctx, q)
	t := redriveTable()
	for _, to := range slices.Sorted(maps.Keys(done.To)) {
		t.Add(q.Topic, to, done.To[to], "put back", nil)
	}
	var failures []error
	if err != nil {
		failures = append(failures, ask.KafkaFailure("the redrive of "+name+" stopped; run it again to go on", err))
	}
	if done.Failed > 0 {
		failures = append(failures, fail.New(fail.Failed, ask.CountWord(done.Failed, "letter")+" could not be put back and still wait", done.Why.Error(),
			"put the cause right and run it again, or name another topic with --to"))
	}
	if len(failures) == 0 && len(t.Rows) == 0 {
		return o.Print(t)
	}
	return o.PrintPartly(t, failures)
}

func redriveTable() *out.Table {
	return &out.Table{Empty: "no dead letters to put back", Columns: []out.Column{
		{Field: "topic", Title: "FROM"}, {Field: "to", Title: "TO"}, {Field: "letters", Title: "LETTERS", Right: true}, {Field: "result", Title: "RESULT"}, {Field: "handle"},
	}}
}

// agreedLetters shows what would be put back where only that is wanted, or
// where a person can be asked, and asks. Elsewhere it is done, without reading
// all letters twice.
func agreedLetters(ctx context.Context, o *ask.Options, q *dlq.Queue, f dlq.Filter, r *redriveFlags) (bool, error) {
	asks := !r.yes && o.Format == "table" && ask.Terminal(o.In) && ask.Terminal(o.Out)
	if !r.dryRun && !asks {
		return true, nil
	}
	n, err := q.Count(ctx, o.Connect, f, r.to, o.Timeout)
	if err != nil {
		return false, ask.KafkaFailure("cannot read dead letters of "+q.Topic, err)
	}
	var total int64
	question := redriveTable()
	for _, to := range slices.Sorted(maps.Keys(n)) {
		question.Add(q.Topic, ask.OrNil(to), n[to], "would be put back", nil)
		total += n[to]
	}
	return o.Agreed(r.dryRun || total == 0, r.yes, fmt.Sprintf("put %s back?", ask.CountWord(total, "letter")),
		func(string) *out.Table { return question })
}
