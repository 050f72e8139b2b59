package admin

import (
	"context"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/out"
	"ottla/internal/cli/reach"
)

func clusterDirs(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:     "dirs",
		Aliases: []string{"log-dirs"},
		Short:   "List log directories with what they hold and what is free",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			a, done, err := o.Admin(cmd.Context())
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
					t.Add(d.Broker, d.Dir, ask.KafkaName(d.Err), nil, nil, nil, nil, nil, nil, nil)
					continue
				}
				partitions := 0
				for _, p := range d.Topics {
					partitions += len(p)
				}
				t.Add(d.Broker, d.Dir, "online", partitions, d.Size(), d.TotalBytes, d.UsableBytes, size(d.Size()), size(d.TotalBytes), size(d.UsableBytes))
			}
			return o.Print(t)
		},
	}
}

func logDirs(ctx context.Context, a *kadm.Client) (kadm.DescribedAllLogDirs, error) {
	dirs, err := a.DescribeAllLogDirs(ctx, nil)
	if err != nil && !reach.Partly(err) {
		return nil, ask.KafkaFailure("cannot read the log directories", err)
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
