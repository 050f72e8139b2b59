package admin

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/balance"
	"ottla/internal/cli/fail"
)

// clusterSpread gives topics that were made on fewer nodes more replicas.
func clusterSpread(o *ask.Options) *cobra.Command {
	var m moveFlags
	var replicas int
	c := &cobra.Command{
		Use:   "spread TOPIC...",
		Short: "Give topics more replicas, as when the cluster has grown",
		Long: "Give every partition of the topics as many replicas as --replicas says, racks and disks\n" +
			"heeded; the leaders stay. Ctrl-C pauses, as with \"ottla cluster balance\". Then\n" +
			"\"ottla config set min.insync.replicas=2 --topic TOPIC\" has two of them have a record\n" +
			"before it is acknowledged.",
		Example: "  ottla cluster spread orders --dry-run\n  ottla cluster spread orders payments --replicas 3",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, topics []string) error {
			if replicas < 1 {
				return fail.Usagef("a partition has one replica at least")
			}
			return carryOut(cmd.Context(), o, &m, -1, func(c balance.Cluster) (*balance.Plan, error) {
				for _, topic := range topics {
					if !slices.ContainsFunc(c.Partitions, func(p balance.Partition) bool { return p.Topic == topic }) {
						return nil, fail.New(fail.NotFound, fmt.Sprintf("there is nothing to give replicas to in %s", topic),
							"there is no such topic, or all of it is being moved already", "\"ottla topic list\" shows the topics")
					}
				}
				return balance.Widen(c, replicas, topics...), nil
			})
		},
	}
	m.bind(c)
	c.Flags().IntVarP(&replicas, "replicas", "r", 3, "how many replicas every partition shall have at least")
	return c
}
