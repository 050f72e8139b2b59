package admin

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/nodes"
	"ottla/internal/cli/out"
	"ottla/internal/cli/reach"
)

// ClusterCommand shows the nodes and what is wrong with partitions; its verbs
// show more of them, and change where partitions lie. more are verbs of others.
func ClusterCommand(o *ask.Options, more ...*cobra.Command) *cobra.Command {
	c := ask.Noun("cluster", "clusters", "Show nodes, what they lead, how far they are behind, and what lacks replicas; move partitions between nodes",
		clusterNodes(o), clusterPartitions(o), clusterDirs(o), clusterFeatures(o), clusterBalance(o), clusterDrain(o), clusterReplace(o), clusterSpread(o), clusterRemove(o))
	c.AddCommand(more...)
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return clusterOverview(cmd.Context(), o)
		}
		return fail.Usagef("ottla cluster has no command %q", args[0])
	}
	return c
}

// gatherNodes reads the cluster; the client is good until done is called.
func gatherNodes(ctx context.Context, o *ask.Options, topics ...string) (f *nodes.Facts, c *kgo.Client, done func(), err error) {
	if c, err = o.Connect(ctx); err != nil {
		return nil, nil, nil, err
	}
	servers, err := reach.Split(o.Bootstrap)
	if err != nil {
		c.Close()
		return nil, nil, nil, fail.Usagef("-b: %v", err)
	}
	a := kadm.NewClient(c)
	a.SetTimeoutMillis(int32(o.Timeout.Milliseconds()))
	f, err = nodes.Gather(ctx, nodes.Sources{Client: c, Admin: a, Servers: servers, Within: o.ConnectTimeout, Now: time.Now, Topics: topics})
	if err != nil {
		c.Close()
		return nil, nil, nil, ask.KafkaFailure("cannot read the state of the cluster", err)
	}
	return f, c, c.Close, nil
}

// clusterOverview is the nodes, and for people what is wrong below them.
func clusterOverview(ctx context.Context, o *ask.Options) error {
	f, _, done, err := gatherNodes(ctx, o)
	if err != nil {
		return err
	}
	defer done()
	if o.Format != "table" {
		return o.Print(nodeTable(f))
	}
	fmt.Fprintf(o.Out, "cluster %s  %s\n\n", f.Cluster, ask.CountWord(int64(len(f.Nodes)), "node"))
	if err := o.Print(nodeTable(f)); err != nil {
		return err
	}
	missing(o, f)
	lacking := nodes.Lacking(f)
	if len(lacking) == 0 {
		fmt.Fprintf(o.Out, "\nall of %s have their replicas in sync\n", ask.CountWord(int64(len(f.Partitions)), "partition"))
		return nil
	}
	fmt.Fprintf(o.Out, "\n%d of %s lack replicas", len(lacking), ask.CountWord(int64(len(f.Partitions)), "partition"))
	const most = 20
	if len(lacking) > most {
		fmt.Fprintf(o.Out, "; the worst %d of them (\"ottla cluster partitions\" has all)", most)
		lacking = lacking[:most]
	}
	fmt.Fprint(o.Out, "\n\n")
	return o.Print(lackTable(lacking))
}

// missing says what could not be asked.
func missing(o *ask.Options, f *nodes.Facts) {
	for _, what := range slices.Sorted(maps.Keys(f.Missing)) {
		fmt.Fprintf(o.Err, "not known: %s: %s\n", what, f.Missing[what])
	}
}

func clusterNodes(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "nodes",
		Short: "List nodes with their addresses, roles, the partitions they lead and hold, how far they are behind, and their disks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, _, done, err := gatherNodes(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer done()
			if o.Format == "table" {
				fmt.Fprintf(o.Out, "cluster %s\n\n", f.Cluster)
				defer missing(o, f)
			}
			return o.Print(nodeTable(f))
		},
	}
}

func nodeTable(f *nodes.Facts) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "node", Title: "NODE", Right: true}, {Field: "address", Title: "ADDRESS"}, {Field: "rack", Title: "RACK"},
		{Field: "state", Title: "STATE"}, {Field: "roles", Title: "ROLES"}, {Field: "metadata_behind"}, {Field: "metadata", Title: "METADATA"}, {Field: "controller"}, {Field: "leads", Title: "LEADS", Right: true},
		{Field: "replicas", Title: "REPLICAS", Right: true}, {Field: "in_sync", Title: "IN SYNC", Right: true},
		{Field: "behind_records", Title: "BEHIND", Right: true}, {Field: "behind_ms"}, {Field: "behind", Title: "BY", Right: true},
		{Field: "used_bytes"}, {Field: "total_bytes"}, {Field: "usable_bytes"},
		{Field: "used", Title: "DATA", Right: true}, {Field: "usable", Title: "FREE", Right: true}, {Field: "cluster"},
	}}
	for i := range f.Nodes {
		n := &f.Nodes[i]
		leads, replicas, inSync := held(f, n.ID)
		used, total, usable := diskOf(n.Dirs)
		records, ms, behind := behindOf(f, n.ID)
		t.Add(n.ID, ask.OrNil(n.Addr), ask.OrNil(n.Rack), stateOf(n), strings.Join(n.Roles, ", "), metadataBehind(n), metadataOf(n), n.ID == f.Controller, leads, replicas, inSync,
			records, ms, behind, used, total, usable, size(used), size(usable), f.Cluster)
	}
	return t
}

// metadataBehind is for programs: nil where nothing is known, or nothing is there
// yet.
func metadataBehind(n *nodes.Node) any {
	if n.MetadataBehind < 0 {
		return nil
	}
	return n.MetadataBehind
}

// metadataOf is how far a node has followed the metadata log, for people.
func metadataOf(n *nodes.Node) any {
	switch n.MetadataBehind {
	case nodes.Unknown:
		return nil
	case nodes.Nothing:
		return "fetching all of it"
	case 0:
		return "current"
	}
	return fmt.Sprintf("%d behind", n.MetadataBehind)
}

// stateOf is what a node is to clients.
func stateOf(n *nodes.Node) string {
	switch {
	case n.Fenced:
		return "fenced"
	case n.Unasked != "":
		return "silent"
	}
	return "serving"
}

// held counts what a node has.
func held(f *nodes.Facts, node int32) (leads, replicas, inSync int) {
	for i := range f.Partitions {
		p := &f.Partitions[i]
		if p.Leader == node {
			leads++
		}
		if slices.Contains(p.Replicas, node) {
			replicas++
		}
		if slices.Contains(p.InSync, node) {
			inSync++
		}
	}
	return leads, replicas, inSync
}

// behindOf is the most that a node's replicas are behind; nil is not known.
func behindOf(f *nodes.Facts, node int32) (records, ms, text any) {
	l, known := f.Behind(node)
	if !known {
		return nil, nil, nil
	}
	if l.Behind < 0 {
		return l.Records, nil, nil
	}
	return l.Records, l.Behind.Milliseconds(), l.Behind.Round(time.Millisecond).String()
}

// diskOf adds up a node's log directories; unknown sizes are nil.
func diskOf(dirs []kadm.DescribedLogDir) (used, total, usable any) {
	var u, t, free int64
	for _, d := range dirs {
		if d.Err != nil || d.TotalBytes < 0 {
			return nil, nil, nil
		}
		u, t, free = u+d.Size(), t+d.TotalBytes, free+d.UsableBytes
	}
	if len(dirs) == 0 {
		return nil, nil, nil
	}
	return u, t, free
}

func clusterPartitions(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "partitions",
		Short: "List partitions that lack replicas, the worst first, and why",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f, _, done, err := gatherNodes(cmd.Context(), o)
			if err != nil {
				return err
			}
			defer done()
			return o.Print(lackTable(nodes.Lacking(f)))
		},
	}
}

func lackTable(lacking []nodes.Lack) *out.Table {
	t := &out.Table{Empty: "all partitions have their replicas in sync", Columns: []out.Column{
		{Field: "topic"}, {Field: "partition"}, {Field: "name", Title: "PARTITION"}, {Field: "state", Title: "STATE"},
		{Field: "leader", Title: "LEADER", Right: true}, {Field: "replicas", Title: "REPLICAS"}, {Field: "in_sync", Title: "IN SYNC"},
		{Field: "min_in_sync", Title: "AT LEAST", Right: true}, {Field: "missing"}, {Field: "why", Title: "WHY"},
	}}
	for _, l := range lacking {
		p := l.Partition
		t.Add(p.Topic, p.Index, p.Name(), string(l.State), p.Leader, p.Replicas, p.InSync, p.MinISR, l.Missing, l.Why)
	}
	return t
}
