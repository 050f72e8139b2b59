package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

// clusterCommand shows the nodes; its verbs show more of them.
func clusterCommand(o *options) *cobra.Command {
	nodes := clusterNodes(o)
	c := group("cluster", "clusters", "Show nodes, what they lead, and their log directories", nodes, clusterDirs(o), clusterFeatures(o))
	c.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nodes.RunE(cmd, args)
		}
		return fail.Usagef("ottla cluster has no command %q", args[0])
	}
	return c
}

func clusterNodes(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "nodes",
		Short: "List nodes with their addresses, the partitions they lead and hold, and their disks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, done, err := o.admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			m, err := a.Metadata(cmd.Context())
			if err != nil {
				return kafkaFailure("cannot read the cluster's metadata", err)
			}
			dirs, err := logDirs(cmd.Context(), a)
			if err != nil {
				return err
			}
			if o.format == "table" {
				fmt.Fprintf(o.out, "cluster %s\n\n", m.Cluster)
			}
			return o.print(nodeTable(m, dirs))
		},
	}
}

func nodeTable(m kadm.Metadata, dirs kadm.DescribedAllLogDirs) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "node", Title: "NODE", Right: true}, {Field: "address", Title: "ADDRESS"}, {Field: "rack", Title: "RACK"},
		{Field: "controller", Title: "CONTROLLER"}, {Field: "leads", Title: "LEADS", Right: true}, {Field: "replicas", Title: "REPLICAS", Right: true},
		{Field: "in_sync", Title: "IN SYNC", Right: true}, {Field: "used_bytes"}, {Field: "total_bytes"}, {Field: "usable_bytes"},
		{Field: "used", Title: "DATA", Right: true}, {Field: "usable", Title: "FREE", Right: true}, {Field: "cluster"},
	}}
	type share struct{ leads, replicas, inSync int }
	shares := map[int32]*share{}
	of := func(id int32) *share {
		if shares[id] == nil {
			shares[id] = &share{}
		}
		return shares[id]
	}
	for _, topic := range m.Topics {
		for _, p := range topic.Partitions {
			of(p.Leader).leads++
			for _, id := range p.Replicas {
				of(id).replicas++
			}
			for _, id := range p.ISR {
				of(id).inSync++
			}
		}
	}
	for _, b := range m.Brokers {
		var rack any
		if b.Rack != nil {
			rack = *b.Rack
		}
		s := of(b.NodeID)
		used, total, usable := diskOf(dirs[b.NodeID])
		t.Add(b.NodeID, net.JoinHostPort(b.Host, strconv.Itoa(int(b.Port))), rack, b.NodeID == m.Controller, s.leads, s.replicas, s.inSync,
			used, total, usable, size(used), size(usable), m.Cluster)
	}
	return t
}

// diskOf adds up a node's log directories; unknown sizes are nil.
func diskOf(dirs kadm.DescribedLogDirs) (used, total, usable any) {
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

func clusterDirs(o *options) *cobra.Command {
	return &cobra.Command{
		Use:     "dirs",
		Aliases: []string{"log-dirs"},
		Short:   "List log directories with what they hold and what is free",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, done, err := o.admin(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			dirs, err := logDirs(cmd.Context(), a)
			if err != nil {
				return err
			}
			t := &out.Table{Columns: []out.Column{
				{Field: "node", Title: "NODE", Right: true}, {Field: "dir", Title: "DIRECTORY"}, {Field: "state", Title: "STATE"},
				{Field: "partitions", Title: "PARTITIONS", Right: true}, {Field: "used_bytes"}, {Field: "total_bytes"}, {Field: "usable_bytes"},
				{Field: "used", Title: "DATA", Right: true}, {Field: "total", Title: "DISK", Right: true}, {Field: "usable", Title: "FREE", Right: true},
			}}
			for _, d := range dirs.Sorted() {
				if d.Err != nil {
					t.Add(d.Broker, d.Dir, kafkaName(d.Err), nil, nil, nil, nil, nil, nil, nil)
					continue
				}
				partitions := 0
				for _, p := range d.Topics {
					partitions += len(p)
				}
				t.Add(d.Broker, d.Dir, "online", partitions, d.Size(), d.TotalBytes, d.UsableBytes, size(d.Size()), size(d.TotalBytes), size(d.UsableBytes))
			}
			return o.print(t)
		},
	}
}

func logDirs(ctx context.Context, a *kadm.Client) (kadm.DescribedAllLogDirs, error) {
	dirs, err := a.DescribeAllLogDirs(ctx, nil)
	var shards *kadm.ShardErrors
	if err != nil && !(errors.As(err, &shards) && !shards.AllFailed) {
		return nil, kafkaFailure("cannot read the log directories", err)
	}
	return dirs, nil
}

// size writes a number of bytes for people; nil stays nil.
func size(bytes any) any {
	n, ok := bytes.(int64)
	if !ok {
		return nil
	}
	return out.Bytes(n)
}
