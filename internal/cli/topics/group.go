package topics

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/groups"
	"ottla/internal/cli/out"
	"ottla/internal/cli/reach"
)

// GroupCommand is the noun group: who reads topics, and how far.
func GroupCommand(o *ask.Options) *cobra.Command {
	list := groupList(o)
	c := ask.Noun("group", "groups", "List, describe, reset and delete groups of every kind",
		list, groupDescribe(o), groupReset(o), groupDelete(o))
	return ask.PluralLists(c, list)
}

func groupList(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List groups with their state, members and lag in records",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, a, err := o.Asking(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			listed, err := a.ListGroups(cmd.Context())
			if err != nil {
				return ask.KafkaFailure("cannot list groups", err)
			}
			all, err := listGroups(cmd.Context(), c, a, listed)
			if err != nil {
				return ask.KafkaFailure("cannot describe the groups", err)
			}
			t := &out.Table{Empty: "no groups yet: consumers make them", Columns: []out.Column{
				{Field: "group", Title: "GROUP"}, {Field: "state", Title: "STATE"}, {Field: "type", Title: "TYPE"}, {Field: "protocol", Title: "PROTOCOL"},
				{Field: "coordinator", Title: "COORDINATOR", Right: true}, {Field: "members", Title: "MEMBERS", Right: true},
				{Field: "partitions", Title: "PARTITIONS", Right: true}, {Field: "lag", Title: "LAG", Right: true},
			}}
			for _, g := range all {
				t.Add(g.Name, g.State, g.Type, g.Protocol, g.Coordinator, len(g.Members), len(g.Partitions), TotalLag(g))
			}
			return o.Print(t)
		},
	}
}

// listGroups describes all groups of which more is known than what the list
// tells.
func listGroups(ctx context.Context, c *kgo.Client, a *kadm.Client, listed kadm.ListedGroups) ([]*groups.Group, error) {
	var names []string
	var others []*groups.Group
	for _, l := range listed.Sorted() {
		switch l.GroupType {
		case "", "classic", "consumer", "share", "streams":
			names = append(names, l.Group)
		default:
			others = append(others, &groups.Group{Name: l.Group, State: l.State, Type: l.GroupType, ProtocolType: l.ProtocolType, Coordinator: l.Coordinator})
		}
	}
	all, err := groups.Describe(ctx, a, groups.Options{Shares: true, Streams: c}, names...)
	if err != nil {
		return nil, err
	}
	all = append(all, others...)
	slices.SortFunc(all, func(a, b *groups.Group) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// TotalLag adds up what is known; nil when nothing is.
func TotalLag(g *groups.Group) any {
	var sum int64
	known := false
	for _, p := range g.Partitions {
		if p.Lag >= 0 {
			sum, known = sum+p.Lag, true
		}
	}
	if !known {
		return nil
	}
	return sum
}

func groupDescribe(o *ask.Options) *cobra.Command {
	var members, fast, held, topology bool
	var http string
	c := &cobra.Command{
		Use:   "describe GROUP...",
		Short: "Show members with their addresses, and how far each partition is behind in records and in time",
		Long: "Show a group's members with their clients and addresses, and for each partition the\n" +
			"committed offset, how many records are yet to be read, and how old the oldest of them is. Of\n" +
			"a share group it is the offset below which all is done, and the lag what is not done above it;\n" +
			"what members hold and which keys are parked is asked over HTTP (--http, ottla_share_* at\n" +
			"/metrics/detail), dead letters are shown by \"ottla dlq show GROUP\". Of an application of\n" +
			"Kafka Streams the tasks of each member, where it can be asked, and the topology are shown.",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.CompleteGroups,
		RunE: func(cmd *cobra.Command, names []string) error {
			c, a, err := o.Asking(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			all, err := DescribeGroups(cmd.Context(), o, a, groups.Options{Shares: true, Streams: c, Ages: !members && !fast && !held && !topology}, names)
			if err != nil {
				return err
			}
			if o.Format == "table" {
				for i, g := range all {
					if i > 0 {
						fmt.Fprintln(o.Out)
					}
					if err := showGroup(o, g); err != nil {
						return err
					}
					if err := showHeld(cmd.Context(), o, o.HTTPAddress(cmd.Context(), http), held || cmd.Flags().Changed("http"), g); err != nil {
						return err
					}
				}
				return nil
			}
			if held {
				t, err := heldTable(cmd.Context(), o, o.HTTPAddress(cmd.Context(), http), all)
				if err != nil {
					return err
				}
				return o.Print(t)
			}
			switch {
			case members:
				return o.Print(memberTable(all))
			case topology:
				return o.Print(topologyTable(all))
			}
			return o.Print(lagTable(all))
		},
	}
	c.Flags().BoolVar(&members, "members", false, "with -o: the members instead of the partitions")
	c.Flags().BoolVar(&topology, "topology", false, "with -o: the topologies of streams groups instead of the partitions")
	c.Flags().BoolVar(&held, "held", false, "of share groups: what members hold, what waits for another try, and keys that are parked; with -o instead of the partitions")
	c.Flags().StringVar(&http, "http", ask.EnvOr("OTTLA_HTTP", ""), "HTTP address of the node that leads the partitions, for what share groups hold")
	c.Flags().BoolVar(&fast, "no-time", false, "leave out the lag in time, which reads one record a partition")
	return c
}

// DescribeGroups finds out what want asks of groups.
func DescribeGroups(ctx context.Context, o *ask.Options, a *kadm.Client, want groups.Options, names []string) ([]*groups.Group, error) {
	servers, err := reach.Split(o.Bootstrap)
	if err != nil {
		return nil, fail.Usagef("-b: %v", err)
	}
	want.Within, want.Now, want.Servers = o.ConnectTimeout, time.Now, servers
	all, err := groups.Describe(ctx, a, want, names...)
	if err != nil {
		return nil, groupFailure("cannot describe "+strings.Join(names, ", "), err)
	}
	return all, nil
}

// groupFailure words a failure about groups, with the next step where there is
// one.
func groupFailure(what string, err error) error {
	f, ok := ask.KafkaFailure(what, err).(*fail.Failure)
	if !ok {
		return err
	}
	switch f.KafkaError {
	case "GROUP_ID_NOT_FOUND":
		f.Why, f.Next = "there is no such group", "\"ottla group list\" shows what there is"
	case "NON_EMPTY_GROUP", "UNKNOWN_MEMBER_ID":
		f.Why, f.Next = "the group has members", "stop its consumers first; \"ottla group describe GROUP\" shows where they run"
	case "GROUP_SUBSCRIBED_TO_TOPIC":
		f.Next = "stop its consumers first; \"ottla group describe GROUP\" shows where they run"
	}
	return f
}

func showGroup(o *ask.Options, g *groups.Group) error {
	fmt.Fprintf(o.Out, "%s  %s  %s", g.Name, g.State, g.Type)
	if g.Epoch > 0 {
		fmt.Fprintf(o.Out, "  epoch %d", g.Epoch)
		if g.AssignmentEpoch != g.Epoch {
			fmt.Fprintf(o.Out, " (assigned for %d)", g.AssignmentEpoch)
		}
	}
	if g.Protocol != "" {
		fmt.Fprintf(o.Out, "  assignor %s", g.Protocol)
	}
	fmt.Fprintf(o.Out, "  coordinator %d  %s", g.Coordinator, ask.CountWord(int64(len(g.Members)), "member"))
	if lag, ok := TotalLag(g).(int64); ok {
		fmt.Fprintf(o.Out, "  %s behind", ask.CountWord(lag, "record"))
	}
	fmt.Fprintln(o.Out)
	alone := []*groups.Group{g}
	if len(g.Members) > 0 {
		fmt.Fprintln(o.Out)
		table := memberTable
		if g.Type == "streams" {
			table = taskTable
		}
		if err := o.Print(table(alone)); err != nil {
			return err
		}
	}
	if len(g.Topology) > 0 {
		fmt.Fprintln(o.Out)
		if err := o.Print(topologyTable(alone)); err != nil {
			return err
		}
	}
	if len(g.Partitions) > 0 {
		fmt.Fprintln(o.Out)
		return o.Print(lagTable(alone))
	}
	return nil
}

func memberTable(all []*groups.Group) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "group"}, {Field: "member", Title: "MEMBER"}, {Field: "instance", Title: "INSTANCE"}, {Field: "client", Title: "CLIENT"},
		{Field: "host", Title: "HOST"}, {Field: "epoch", Title: "EPOCH", Right: true},
		{Field: "partitions", Title: "PARTITIONS", Right: true}, {Field: "target", Title: "TARGET", Right: true}, {Field: "assigned"},
		{Field: "endpoint"}, {Field: "process"}, {Field: "topology_epoch"}, {Field: "active"}, {Field: "standby"}, {Field: "warmup"},
	}}
	for _, g := range all {
		for _, m := range g.Members {
			assigned := []string{}
			for _, p := range m.Assigned {
				assigned = append(assigned, p.String())
			}
			var epoch, target any // classic groups have none
			switch g.Type {
			case "consumer":
				epoch, target = m.Epoch, len(m.Target)
			case "share":
				epoch = m.Epoch
			}
			row := []any{g.Name, m.ID, ask.OrNil(m.Instance), ask.OrNil(m.Client), ask.OrNil(m.Host), epoch, len(m.Assigned), target, assigned}
			if g.Type == "streams" {
				row[5], row[7] = m.Epoch, len(m.Target)
				row = append(row, ask.OrNil(m.Endpoint), m.Process, m.TopologyEpoch, ask.List(m.Tasks.Active), ask.List(m.Tasks.Standby), ask.List(m.Tasks.Warmup))
			} else {
				row = append(row, nil, nil, nil, nil, nil, nil)
			}
			t.Add(row...)
		}
	}
	return t
}

// taskTable shows members of streams groups to people.
func taskTable(all []*groups.Group) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "member", Title: "MEMBER"}, {Field: "client", Title: "CLIENT"}, {Field: "host", Title: "HOST"}, {Field: "endpoint", Title: "ENDPOINT"},
		{Field: "epoch", Title: "EPOCH", Right: true}, {Field: "active", Title: "ACTIVE"}, {Field: "standby", Title: "STANDBY"}, {Field: "target", Title: "TARGET"},
	}}
	for _, g := range all {
		for _, m := range g.Members {
			target := "reached"
			if !reflect.DeepEqual(m.Tasks, m.Wanted) {
				target = strings.Join(append(m.Wanted.Active, m.Wanted.Standby...), " ")
			}
			t.Add(m.ID, ask.OrNil(m.Client), ask.OrNil(m.Host), ask.OrNil(m.Endpoint), m.Epoch, strings.Join(m.Tasks.Active, " "),
				strings.Join(append(m.Tasks.Standby, m.Tasks.Warmup...), " "), target)
		}
	}
	return t
}

func topologyTable(all []*groups.Group) *out.Table {
	t := &out.Table{Empty: "none of them is an application of Kafka Streams", Columns: []out.Column{
		{Field: "group"}, {Field: "subtopology", Title: "SUBTOPOLOGY"}, {Field: "sources", Title: "SOURCES"}, {Field: "repartitions", Title: "REPARTITION"},
		{Field: "sinks", Title: "SINKS"}, {Field: "changelogs", Title: "CHANGELOGS"},
	}}
	for _, g := range all {
		for _, s := range g.Topology {
			t.Add(g.Name, s.ID, ask.List(s.Sources), ask.List(s.Repartitions), ask.List(s.Sinks), ask.List(s.Changelogs))
		}
	}
	return t
}

func lagTable(all []*groups.Group) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "group"}, {Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true},
		{Field: "committed", Title: "COMMITTED", Right: true}, {Field: "start_offset", Title: "START", Right: true}, {Field: "end_offset", Title: "END", Right: true},
		{Field: "lag", Title: "LAG", Right: true}, {Field: "lag_seconds"}, {Field: "behind", Title: "BEHIND", Right: true},
		{Field: "member"}, {Field: "client", Title: "CLIENT"}, {Field: "host", Title: "HOST"},
	}}
	for _, g := range all {
		for _, p := range g.Partitions {
			var seconds, behind, member, client, host any
			if p.Behind >= 0 {
				seconds, behind = p.Behind.Seconds(), ask.Age(p.Behind)
			}
			if m := p.Member; m != nil {
				member, client, host = m.ID, ask.OrNil(m.Client), ask.OrNil(m.Host)
			}
			t.Add(g.Name, p.Topic, p.Partition, ask.NotNegative(p.Committed), ask.NotNegative(p.Start), ask.NotNegative(p.End), ask.NotNegative(p.Lag), seconds, behind, member, client, host)
		}
	}
	return t
}

func groupDelete(o *ask.Options) *cobra.Command {
	var dryRun bool
	var topics []string
	c := &cobra.Command{
		Use:               "delete GROUP...",
		Short:             "Delete groups with all their offsets, or with --topic only offsets of those topics",
		Example:           "  ottla group delete reports --dry-run\n  ottla group delete reports --topic orders:0,1",
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: o.CompleteGroups,
		RunE: func(cmd *cobra.Command, names []string) error {
			chosen, err := groups.Select(topics)
			if err != nil {
				return fail.Usagef("--topic: %v", err)
			}
			c, a, err := o.Asking(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			if dryRun || len(topics) > 0 {
				all, err := DescribeGroups(cmd.Context(), o, a, groups.Options{Shares: true, Streams: c}, names)
				if err != nil {
					return err
				}
				return deleteOffsets(cmd.Context(), o, a, all, chosen, dryRun)
			}
			answers, err := a.DeleteGroups(cmd.Context(), names...)
			if err != nil && len(answers) == 0 {
				return groupFailure("cannot delete "+strings.Join(names, ", "), err)
			}
			t := &out.Table{Columns: []out.Column{{Field: "group", Title: "GROUP"}, {Field: "result", Title: "RESULT"}}}
			var failures []error
			for _, name := range names {
				if r := answers[name]; r.Err != nil {
					failures = append(failures, groupFailure("cannot delete group "+name, r.Err))
					continue
				}
				t.Add(name, "deleted")
			}
			return o.PrintPartly(t, failures)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would go")
	c.Flags().StringArrayVar(&topics, "topic", nil, "TOPIC or TOPIC:0,1: delete only these offsets, may be repeated")
	return c
}

// deleteOffsets forgets offsets of groups, or shows which would be forgotten.
func deleteOffsets(ctx context.Context, o *ask.Options, a *kadm.Client, all []*groups.Group, chosen func(groups.TopicPartition) bool, dryRun bool) error {
	t := &out.Table{Empty: "no such offsets are committed", Columns: []out.Column{
		{Field: "group", Title: "GROUP"}, {Field: "topic", Title: "TOPIC"}, {Field: "partition", Title: "PARTITION", Right: true},
		{Field: "committed", Title: "COMMITTED", Right: true}, {Field: "result", Title: "RESULT"},
	}}
	var failures []error
	for _, g := range all {
		gone := kadm.TopicsSet{}
		for _, p := range g.Partitions {
			if p.Committed >= 0 && chosen(p.TopicPartition) {
				gone.Add(p.Topic, p.Partition)
			}
		}
		var answers kadm.DeleteOffsetsResponses
		if !dryRun && len(gone) > 0 {
			var err error
			if answers, err = groups.Forget(ctx, a, g, gone); err != nil {
				failures = append(failures, groupFailure("cannot delete offsets of group "+g.Name, err))
				continue
			}
		}
		for _, p := range g.Partitions {
			if !gone.Lookup(p.Topic, p.Partition) {
				continue
			}
			result := "would be forgotten"
			if !dryRun {
				result = "forgotten"
				if err := answers[p.Topic][p.Partition]; err != nil {
					failures = append(failures, groupFailure(fmt.Sprintf("cannot delete the offset of group %s for %s", g.Name, p), err))
					continue
				}
			}
			t.Add(g.Name, p.Topic, p.Partition, p.Committed, result)
		}
	}
	if len(failures) == 0 && len(t.Rows) == 0 {
		return o.Print(t)
	}
	return o.PrintPartly(t, failures)
}
