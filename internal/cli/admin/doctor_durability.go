package admin

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/doctor"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/nodes"
	"ottla/internal/cli/out"
	"ottla/internal/cli/reach"
)

func doctorDurability(o *ask.Options) *cobra.Command {
	var strict bool
	c := &cobra.Command{
		Use:   "durability [TOPIC...]",
		Short: "Say per topic what the loss of one node, of two, of all, or of power would cost now",
		Long: "Say, of every topic or of those named, which acknowledged records would be lost now if one\n" +
			"node were lost with its disk, two, all of them, or if all lost power at the same moment; and\n" +
			"whether writes would go on. It speaks of records written with acks=all: with acks=1 a record\n" +
			"lies on its leader alone until the others have fetched it.\n\n" +
			"It also tells of partitions that went on without replicas that may have had more than their\n" +
			"leader (an unclean election, or an end that could not be read and that nobody else could tell\n" +
			"of), as far as the node knows that is the controller now.",
		Example: "  ottla doctor durability\n  ottla doctor durability orders --strict",
		RunE: func(cmd *cobra.Command, topics []string) error {
			a, done, err := o.Admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			addresses, err := reach.Split(o.Bootstrap)
			if err != nil {
				return fail.Usagef("-b: %v", err)
			}
			facts, err := doctor.Gather(cmd.Context(), doctor.Sources{Addresses: addresses, Timeout: o.ConnectTimeout, Admin: a, Now: time.Now})
			if err != nil {
				return ask.KafkaFailure("the doctor could not examine the cluster", err)
			}
			for _, name := range topics {
				if !facts.Metadata.Topics.Has(name) {
					return ask.TopicFailure("cannot examine topic "+name, name, ask.ErrUnknownTopic, "")
				}
			}
			holders, lost, err := holders(cmd.Context(), o)
			if err != nil {
				return err
			}
			all, err := doctor.Durability(facts, holders)
			if err != nil {
				return fail.New(fail.Failed, "the doctor cannot tell what would be lost", err.Error(), "")
			}
			return reportLosses(o, named(all, topics), lost, len(facts.Metadata.Brokers), strict)
		},
	}
	c.ValidArgsFunction = o.CompleteTopics
	c.Flags().BoolVar(&strict, "strict", false, "exit with 1 when the loss of one node, or of power, would cost something")
	return c
}

// holders asks who has all records although not in sync, and who votes; and, by
// topic, which partitions may have lost some already.
func holders(ctx context.Context, o *ask.Options) (doctor.Holders, map[string][]nodes.Loss, error) {
	f, client, done, err := gatherNodes(ctx, o)
	if err != nil {
		return doctor.Holders{}, nil, err
	}
	defer done()
	lost := map[string][]nodes.Loss{}
	switch known, err := nodes.Losses(ctx, client); {
	case err != nil:
		f.Missing["what may be lost already"] = err.Error()
	case known != nil:
		lost = nodes.LossesByTopic(f, known)
	}
	missing(o, f)
	h := doctor.Holders{Eligible: func(topic string, index int32) []int32 {
		if p := f.Partition(topic, index); p != nil {
			return p.Eligible
		}
		return nil
	}}
	for i := range f.Nodes {
		if n := &f.Nodes[i]; !n.Vote.IsZero() {
			h.Voters++
			if stateOf(n) == "serving" {
				h.Serving++
			}
		}
	}
	return h, lost, nil
}

// named leaves those that were asked for; all when none was.
func named(all []doctor.Losses, topics []string) []doctor.Losses {
	if len(topics) == 0 {
		return all
	}
	wanted := map[string]bool{}
	for _, t := range topics {
		wanted[t] = true
	}
	var out []doctor.Losses
	for _, l := range all {
		if wanted[l.Topic] {
			out = append(out, l)
		}
	}
	return out
}

func reportLosses(o *ask.Options, all []doctor.Losses, lost map[string][]nodes.Loss, count int, strict bool) error {
	t := &out.Table{Empty: "there are no topics yet", Columns: []out.Column{
		{Field: "topic", Title: "TOPIC"}, {Field: "replicas", Title: "REPLICAS", Right: true}, {Field: "in_sync", Title: "IN SYNC", Right: true},
		{Field: "min_in_sync", Title: "AT LEAST", Right: true}, {Field: "durability", Title: "DURABILITY"}, {Field: "racks"},
		{Field: "lose_one", Title: "ONE NODE LOST"}, {Field: "lose_two", Title: "TWO LOST"}, {Field: "lose_all", Title: "ALL LOST"},
		{Field: "lose_power", Title: "POWER LOST EVERYWHERE"}, {Field: "writes_after_one", Title: "WRITES WITHOUT ONE"}, {Field: "safe"}, {Field: "advice"}, {Field: "may_lack"},
	}}
	unsafe := 0
	for _, l := range all {
		if !l.Safe {
			unsafe++
		}
		t.Add(l.Topic, l.Replicas, l.InSync, l.MinISR, l.Durability, l.Racks, l.One, l.Two, l.All, l.Power, l.Writes, l.Safe, ask.OrNil(l.Advice(count)), append([]nodes.Loss{}, lost[l.Topic]...))
	}
	if err := o.Print(t); err != nil {
		return err
	}
	if o.Format == "table" {
		adviseOn(o, all, count)
		tellLost(o, all, lost)
	}
	if strict && unsafe > 0 {
		return ask.Silent(fail.Failed)
	}
	return nil
}

// adviseOn prints each advice once, with the topics that it is for.
func adviseOn(o *ask.Options, all []doctor.Losses, count int) {
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(o.Out, "\nwhat is lost is said of records written with acks=all; \"lost\" is a node that never comes back, with its disk\n")
	for _, l := range all {
		if a := l.Advice(count); a != "" {
			fmt.Fprintf(o.Out, "%s: %s\n", l.Topic, a)
		}
	}
}

// tellLost prints what partitions may lack already, and what can be done.
func tellLost(o *ask.Options, all []doctor.Losses, lost map[string][]nodes.Loss) {
	for _, l := range all {
		for i := range lost[l.Topic] {
			fmt.Fprintln(o.Out, lost[l.Topic][i].Tell())
		}
	}
}
