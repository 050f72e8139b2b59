package topics

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/groups"
	"ottla/internal/cli/out"
)

type resetFlags struct {
	topics      []string
	to, file    string
	shift       int64
	ago         time.Duration
	dryRun, yes bool
}

func groupReset(o *ask.Options) *cobra.Command {
	var r resetFlags
	c := &cobra.Command{
		Use:   "reset GROUP",
		Short: "Move a group's offsets, or where a share group stands, after showing what would be replayed or skipped",
		Long: "Move a group's offsets. The group must have no members. What would be replayed or skipped\n" +
			"is shown first; in a terminal you are asked, elsewhere it is done at once (--dry-run only\n" +
			"shows). --to takes start, end, an offset, -N (N records before the end), @TIME (RFC 3339)\n" +
			"or @-10m (ago). Offsets are kept within the log.",
		Example: "  ottla group reset reports --to start --dry-run\n" +
			"  ottla group reset reports --ago 2h --topic orders\n" +
			"  ottla group reset reports --shift -100 --topic orders:0,1 --yes",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: o.CompleteGroups,
		RunE: func(cmd *cobra.Command, args []string) error {
			given := 0
			for _, f := range []string{"to", "shift", "ago", "file"} {
				if cmd.Flags().Changed(f) {
					given++
				}
			}
			if given != 1 {
				return fail.Usagef("give one of --to, --shift, --ago and --file")
			}
			return reset(cmd.Context(), o, args[0], &r)
		},
	}
	f := c.Flags()
	f.StringArrayVar(&r.topics, "topic", nil, "TOPIC or TOPIC:0,1: only these, may be repeated (all that the group reads when left out)")
	f.StringVar(&r.to, "to", "", "the new position: start, end, OFFSET, -N, @TIME, @-10m")
	f.Int64Var(&r.shift, "shift", 0, "move by so many records, back when negative")
	f.DurationVar(&r.ago, "ago", 0, "to the first record younger than this")
	f.StringVar(&r.file, "file", "", "topic,partition,offset lines, as Kafka's tool exports them")
	f.BoolVar(&r.dryRun, "dry-run", false, "only show what would happen")
	f.BoolVarP(&r.yes, "yes", "y", false, "do not ask")
	return c
}

func reset(ctx context.Context, o *ask.Options, name string, r *resetFlags) error {
	chosen, err := groups.Select(r.topics)
	if err != nil {
		return fail.Usagef("--topic: %v", err)
	}
	c, a, err := o.Asking(ctx)
	if err != nil {
		return err
	}
	defer c.Close()
	partitions, g, err := resettable(ctx, o, c, a, name, r, chosen)
	if err != nil {
		return err
	}
	target, err := r.target(ctx, a, name, partitions)
	if err != nil {
		return err
	}
	moves := groups.Plan(partitions, target)
	if len(moves) == 0 {
		return fail.New(fail.NotFound, "nothing to reset in group "+name, "no offset is committed there, or no such partition exists",
			"name a topic with --topic, or see \"ottla group describe "+name+"\"")
	}
	if live := g.State != "" && g.State != "Empty" && g.State != "Dead"; live && !r.dryRun {
		return fail.New(fail.Failed, "cannot reset group "+name, "it has members ("+g.State+")",
			"stop its consumers first; \"ottla group describe "+name+"\" shows where they run")
	}
	goOn, err := confirm(o, name, moves, r)
	if err != nil || !goOn {
		return err
	}
	move := groups.Commit
	if g.Type == "share" {
		move = groups.Start
	}
	if err := move(ctx, a, name, moves); err != nil {
		return groupFailure("cannot reset group "+name, err)
	}
	return o.Print(moveTable(name, moves, "reset"))
}

// resettable finds the partitions to reset: those the group has offsets in, and
// every partition of topics that were named.
func resettable(ctx context.Context, o *ask.Options, c *kgo.Client, a *kadm.Client, name string, r *resetFlags, chosen func(groups.TopicPartition) bool) ([]groups.Partition, *groups.Group, error) {
	all, err := groups.Describe(ctx, a, groups.Options{Shares: true, Streams: c}, name)
	switch {
	case errors.Is(err, kerr.GroupIDNotFound) && len(r.topics) > 0, errors.Is(err, kerr.GroupIDNotFound) && r.file != "":
		all = []*groups.Group{{Name: name}} // a reset makes it
	case err != nil:
		return nil, nil, groupFailure("cannot reset group "+name, err)
	}
	g := all[0]
	var out []groups.Partition
	have := map[groups.TopicPartition]bool{}
	for _, p := range g.Partitions {
		if chosen(p.TopicPartition) {
			out, have[p.TopicPartition] = append(out, p), true
		}
	}
	topics, err := r.namedTopics(name)
	if err != nil {
		return nil, nil, err
	}
	if len(topics) == 0 {
		return out, g, nil
	}
	starts, ends, err := ask.Offsets(ctx, a, topics...)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range topics {
		if len(ends[t]) == 0 {
			return nil, nil, ask.TopicFailure("cannot reset group "+name, t, ask.ErrUnknownTopic, "")
		}
		for p, end := range ends[t] {
			if errors.Is(end.Err, kerr.UnknownTopicOrPartition) {
				return nil, nil, ask.TopicFailure("cannot reset group "+name, t, end.Err, "")
			}
			tp := groups.TopicPartition{Topic: t, Partition: p}
			start, ok := starts.Lookup(t, p)
			if !have[tp] && chosen(tp) && ok && start.Err == nil && end.Err == nil {
				out = append(out, groups.Partition{TopicPartition: tp, Committed: -1, Start: start.Offset, End: end.Offset})
			}
		}
	}
	return out, g, nil
}

// namedTopics are those of --topic and of the file.
func (r *resetFlags) namedTopics(name string) ([]string, error) {
	seen := map[string]bool{}
	var out []string
	add := func(t string) {
		if !seen[t] {
			seen[t], out = true, append(out, t)
		}
	}
	for _, w := range r.topics {
		t, _, _ := strings.Cut(w, ":")
		add(t)
	}
	if r.file != "" {
		listed, err := r.listed(name)
		if err != nil {
			return nil, err
		}
		for p := range listed {
			add(p.Topic)
		}
	}
	return out, nil
}

func (r *resetFlags) listed(name string) (map[groups.TopicPartition]int64, error) {
	f, err := os.Open(r.file)
	if err != nil {
		return nil, fail.New(fail.Failed, "cannot read "+r.file, err.Error(), "check the path given with --file")
	}
	defer f.Close()
	listed, err := groups.ReadCSV(f, name)
	if err != nil {
		return nil, fail.New(fail.Usage, r.file+" is not a file of offsets", err.Error(), "each line is topic,partition,offset")
	}
	return listed, nil
}

// target turns the flags into a function of the partition.
func (r *resetFlags) target(ctx context.Context, a *kadm.Client, name string, partitions []groups.Partition) (groups.Target, error) {
	switch {
	case r.file != "":
		listed, err := r.listed(name)
		return func(p groups.Partition) (int64, bool) { n, ok := listed[p.TopicPartition]; return n, ok }, err
	case r.shift != 0:
		return func(p groups.Partition) (int64, bool) { return p.Committed + r.shift, p.Committed >= 0 }, nil
	}
	at := position{kind: atTime, at: time.Now().Add(-r.ago)}
	if r.to != "" {
		var err error
		if at, err = parsePosition(r.to, time.Now()); err != nil {
			return nil, err
		}
	}
	var times kadm.ListedOffsets
	if at.kind == atTime {
		seen := map[string]bool{}
		var topics []string
		for _, p := range partitions {
			if !seen[p.Topic] {
				seen[p.Topic], topics = true, append(topics, p.Topic)
			}
		}
		var err error
		if times, err = a.ListOffsetsAfterMilli(ctx, at.at.UnixMilli(), topics...); err != nil {
			return nil, ask.KafkaFailure("cannot find the offsets of a time", err)
		}
	}
	return func(p groups.Partition) (int64, bool) {
		switch at.kind {
		case atStart:
			return p.Start, true
		case atOffset:
			return at.number, true
		case beforeEnd:
			return p.End - at.number, true
		case atTime:
			if t, ok := times.Lookup(p.Topic, p.Partition); ok && t.Err == nil && t.Offset >= 0 {
				return t.Offset, true
			}
		}
		return p.End, true
	}, nil
}

// confirm shows the plan and, in a terminal, asks. It tells whether to go on.
func confirm(o *ask.Options, name string, moves []groups.Move, r *resetFlags) (bool, error) {
	if r.dryRun {
		return false, o.Print(moveTable(name, moves, "would be reset"))
	}
	if r.yes || o.Format != "table" || !ask.Terminal(o.In) || !ask.Terminal(o.Out) {
		return true, nil
	}
	if err := o.Print(moveTable(name, moves, "would be reset")); err != nil {
		return false, err
	}
	fmt.Fprintf(o.Out, "reset group %s? [y/N] ", name)
	answer, err := bufio.NewReader(o.In).ReadString('\n')
	if err != nil {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	return strings.EqualFold(strings.TrimSpace(answer), "y"), nil
}

func moveTable(name string, moves []groups.Move, result string) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "group", Title: "GROUP"}, {Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true},
		{Field: "from", Title: "FROM", Right: true}, {Field: "to", Title: "TO", Right: true},
		{Field: "replayed", Title: "REPLAYED", Right: true}, {Field: "skipped", Title: "SKIPPED", Right: true}, {Field: "clamped"},
		{Field: "result", Title: "RESULT"},
	}}
	for _, m := range moves {
		t.Add(name, m.Topic, m.Partition, ask.NotNegative(m.From), m.To, m.Replayed, m.Skipped, m.Clamped, result)
	}
	return t
}
