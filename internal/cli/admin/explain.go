package admin

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/doctor"
	"ottla/internal/cli/explain"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/groups"
	"ottla/internal/cli/out"
	"ottla/internal/cli/queues"
	"ottla/internal/cli/topics"
	"ottla/internal/config"
)

// ExplainCommand explains errors, settings, checks and groups.
func ExplainCommand(o *ask.Options) *cobra.Command {
	r := topics.Resource{Broker: -1}
	var watch time.Duration
	var http string
	c := &cobra.Command{
		Use:   "explain WORD | explain transaction ID | explain partition TOPIC-N | explain queue NAME",
		Short: "Say what an error code, a setting or a check of the doctor means, why a group is behind, what a transaction does, why a partition is as it is, or a queue's messages are not taken",
		Long: "Say what a Kafka error code (3, UNKNOWN_TOPIC_OR_PARTITION, or the Java exception's name),\n" +
			"a setting (retention.ms) or a check of the doctor (D09) means, what usually causes it and\n" +
			"what mends it. With --topic or --broker a setting's value there is shown, and where it\n" +
			"comes from. The name of a group of any kind says why the group is where it is; while it has\n" +
			"records to read it is watched for a few seconds, to tell its speed. Of a share group it tells\n" +
			"what is held, which keys are parked and which dead letters wait, of an application of Kafka\n" +
			"Streams what keeps it from running. \"transaction ID\" tells\n" +
			"a transaction's story: whose it is, how long it is open, whom it holds back, what ends it.\n" +
			"\"partition TOPIC-N\" says who leads it, which replicas are in sync, and why the others are not.\n" +
			"\"queue NAME\" says who has its messages, until when, and what the others wait for.",
		Example: "  ottla explain 3\n  ottla explain OffsetOutOfRangeException\n  ottla explain retention.ms --topic orders\n  ottla explain reports\n  ottla explain transaction shop-3\n  ottla explain partition orders-3\n  ottla explain queue billing",
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1:
				return explainWord(cmd.Context(), o, args[0], http, r, watch)
			case args[0] == "transaction" || args[0] == "txn":
				return explainTxn(cmd.Context(), o, args[1])
			case args[0] == "partition":
				return explainPartition(cmd.Context(), o, args[1])
			case args[0] == "queue":
				return queues.ExplainQueue(cmd.Context(), o, &ask.QueueFlags{HTTP: http}, args[1])
			}
			return fail.Usagef("two words are \"transaction ID\", \"partition TOPIC-N\" or \"queue NAME\", not %q", strings.Join(args, " "))
		},
		ValidArgsFunction: func(_ *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return explain.Words(), cobra.ShellCompDirectiveNoFileComp
		},
	}
	topics.BindResource(c, &r)
	c.Flags().StringVar(&http, "http", ask.EnvOr("OTTLA_HTTP", ""), "HTTP address of the node that leads the partitions, for what a share group holds")
	c.Flags().DurationVar(&watch, "watch", 6*time.Second, "how long to watch a group that is behind (consumers commit every 5 s by default)")
	return c
}

func explainWord(ctx context.Context, o *ask.Options, word, http string, r topics.Resource, watch time.Duration) error {
	if e, ok := explain.FindError(word); ok {
		return explainError(o, e)
	}
	if check, ok := doctor.Find(word); ok {
		return explainCheck(o, check)
	}
	if defs := explain.FindSettings(word); len(defs) > 0 {
		return explainSettings(ctx, o, defs, r)
	}
	if done, err := explainGroup(ctx, o, word, http, watch); done {
		return err
	}
	next := "it takes an error code or its name, a setting, a check of the doctor (D01), or a consumer group of a cluster that answers"
	if n := explain.Nearest(word); n != "" {
		next = "did you mean \"ottla explain " + n + "\"?"
	}
	return fail.New(fail.NotFound, "nothing here is called "+word, "", next)
}

func explainError(o *ask.Options, e explain.Error) error {
	if o.Format != "table" {
		t := &out.Table{One: true, Columns: []out.Column{
			{Field: "name"}, {Field: "code"}, {Field: "retriable"}, {Field: "meaning"}, {Field: "causes"}, {Field: "mends"},
		}}
		t.Add(e.Name, e.Code, e.Retriable, e.Meaning, ask.List(e.Causes), ask.List(e.Mends))
		return o.Print(t)
	}
	fmt.Fprintf(o.Out, "%s (%d)\n  %s\n", e.Name, e.Code, e.Meaning)
	if e.Retriable {
		fmt.Fprintln(o.Out, "  clients try again by themselves")
	}
	if len(e.Causes) > 0 {
		o.Paragraph("what usually is behind it", e.Causes)
	}
	if len(e.Mends) > 0 {
		o.Paragraph("what to do", e.Mends)
	}
	return nil
}

// explainGroup says why a group is where it is. It is done when there is such a
// group; a cluster that cannot be reached has none.
func explainGroup(ctx context.Context, o *ask.Options, name, http string, watch time.Duration) (done bool, err error) {
	c, a, err := o.Asking(ctx)
	if err != nil {
		return false, nil
	}
	defer c.Close()
	want := groups.Options{Ages: true, Shares: true, Streams: c}
	before, err := topics.DescribeGroups(ctx, o, a, want, []string{name})
	if err != nil {
		return fail.CodeOf(err) != fail.NotFound, err
	}
	g, began, elapsed := before[0], time.Now(), time.Duration(0)
	if lag, known := topics.TotalLag(g).(int64); known && lag > 0 && g.State == "Stable" && watch > 0 {
		if ask.Terminal(o.Err) {
			fmt.Fprintf(o.Err, "watching %s for %v\n", name, watch)
		}
		select {
		case <-ctx.Done():
			return true, ctx.Err()
		case <-time.After(watch):
		}
		after, err := topics.DescribeGroups(ctx, o, a, want, []string{name})
		if err != nil {
			return true, err
		}
		g, elapsed = after[0], time.Since(began)
	}
	t := &out.Table{Columns: []out.Column{{Field: "group"}, {Field: "state"}, {Field: "finding"}, {Field: "fix"}}}
	if o.Format == "table" {
		fmt.Fprintf(o.Out, "%s  %s  %s\n", g.Name, g.State, ask.CountWord(int64(len(g.Members)), "member"))
	}
	notes := groups.Verdict(before[0], g, elapsed)
	if g.Type == "share" {
		s, err := topics.Shared(ctx, o, c, a, g, http)
		if err != nil {
			return true, err
		}
		notes = append(notes, groups.SharedVerdict(g, s)...)
	}
	for _, n := range notes {
		t.Add(g.Name, g.State, n.Text, ask.OrNil(n.Fix))
		if o.Format == "table" {
			o.Paragraph("  "+n.Text, ask.List(ask.NonEmpty("  try: "+n.Fix, n.Fix)))
		}
	}
	if o.Format == "table" {
		return true, nil
	}
	return true, o.Print(t)
}

func explainCheck(o *ask.Options, c doctor.Check) error {
	if o.Format != "table" {
		t := &out.Table{One: true, Columns: []out.Column{{Field: "code"}, {Field: "check"}, {Field: "meaning"}}}
		t.Add(c.Code, c.Name, c.Why)
		return o.Print(t)
	}
	fmt.Fprintf(o.Out, "%s %s\n  %s\n", c.Code, c.Name, c.Why)
	o.Paragraph("what to do", []string{"ottla doctor runs it with the others"})
	return nil
}

// explainSettings shows each setting of the name; where a topic or broker was
// named, its value there too.
func explainSettings(ctx context.Context, o *ask.Options, defs []*config.Def, r topics.Resource) error {
	t := &out.Table{Columns: []out.Column{
		{Field: "name"}, {Field: "scope"}, {Field: "type"}, {Field: "default"}, {Field: "valid"}, {Field: "change"}, {Field: "acts"},
		{Field: "own"}, {Field: "help"}, {Field: "value"}, {Field: "source"}, {Field: "chain"},
	}, One: len(defs) == 1}
	for _, d := range defs {
		value, source, chain, err := settingOn(ctx, o, d, r)
		if err != nil {
			return err
		}
		var preset any = d.Default
		if d.NullDefault {
			preset = nil
		}
		t.Add(d.Name, string(d.Scope), d.Type, preset, d.Valid, changeable(d), d.Acts, d.Own, d.Help(), value, source, chain)
		if o.Format == "table" {
			describeSetting(o, d, value, source, chain)
		}
	}
	if o.Format == "table" {
		return nil
	}
	return o.Print(t)
}

func describeSetting(o *ask.Options, d *config.Def, value, source any, chain []string) {
	preset := d.Default
	switch {
	case d.NullDefault:
		preset = "none"
	case preset == "":
		preset = "empty"
	}
	fmt.Fprintf(o.Out, "%s  (%s setting, %s)\n  %s\n", d.Name, d.Scope, d.Type, d.Help())
	facts := []string{"default: " + preset}
	if d.Valid != "" {
		facts = append(facts, "takes: "+d.Valid)
	}
	facts = append(facts, "a change acts: "+changeable(d))
	if len(d.Synonyms) > 0 {
		facts = append(facts, "falls back to the broker's "+strings.Join(d.Synonyms, ", then "))
	}
	if source != nil {
		facts = append(facts, fmt.Sprintf("now: %v, set by %v", value, source))
		if len(chain) > 1 {
			facts = append(facts, "chain: "+strings.Join(chain, " <- "))
		}
	}
	for _, f := range facts {
		fmt.Fprintf(o.Out, "  %s\n", f)
	}
}

func changeable(d *config.Def) string {
	switch {
	case d.Scope != config.ScopeBroker, d.Mode == config.ClusterWide:
		return "at once"
	case d.Mode == config.PerBroker:
		return "at once, broker by broker"
	}
	return "when the node starts again"
}

// settingOn is the value of a setting on the topic or broker that was named;
// all results are nil when none was, or the setting is not of that kind.
func settingOn(ctx context.Context, o *ask.Options, d *config.Def, r topics.Resource) (value, source any, chain []string, err error) {
	fits := r.Topic != "" && d.Scope == config.ScopeTopic || r.Broker >= 0 && d.Scope == config.ScopeBroker
	if !fits {
		return nil, nil, nil, nil
	}
	a, done, err := o.Admin(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	defer done()
	found, err := topics.DescribeResource(ctx, a, r)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, c := range found {
		if c.Key != d.Name {
			continue
		}
		for _, y := range c.Synonyms {
			v := "***"
			if y.Value != nil {
				v = *y.Value
			}
			chain = append(chain, fmt.Sprintf("%s=%s (%s)", y.Key, v, topics.SourceName(int8(y.Source))))
		}
		return topics.SettingValue(c), topics.SourceName(int8(c.Source)), chain, nil
	}
	return nil, nil, nil, nil
}
