package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/nodes"
	"ottla/internal/cli/out"
	"ottla/internal/uuid"
)

func clusterRemove(o *ask.Options) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "remove NODE",
		Short: "Take a node out of the cluster for good: its vote, and its place",
		Long: "Take a node out of the cluster for good: its vote in the metadata quorum, which another\n" +
			"node that may vote then gets, and its place. It must hold no replicas (\"ottla cluster\n" +
			"drain\" or \"replace\" moves them). A node that runs stops by itself, and its directory can\n" +
			"not be started again: the machine comes back as a new node, on an empty directory.",
		Example: "  ottla cluster remove 2\n  ottla cluster replace 2 4 --remove",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			node, err := nodeNumber(args[0])
			if err != nil {
				return err
			}
			return removeNode(cmd.Context(), o, node, force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "remove it although replicas are assigned to it: what only it has is lost")
	return c
}

// removeNode takes a node's vote, then its registration.
func removeNode(ctx context.Context, o *ask.Options, node int32, force bool) error {
	f, client, done, err := gatherNodes(ctx, o)
	if err != nil {
		return err
	}
	defer done()
	n := f.Node(node)
	held := replicasOn(f, node)
	switch {
	case n == nil && held == 0:
		return fail.New(fail.NotFound, fmt.Sprintf("there is no node %d", node), "", "\"ottla cluster\" shows the nodes")
	case f.Missing["the quorum"] != "":
		return fail.New(fail.Failed, fmt.Sprintf("node %d cannot be removed", node), "it is not known whether it votes: "+f.Missing["the quorum"], "")
	case held > 0 && !force:
		return fail.New(fail.Failed, fmt.Sprintf("node %d cannot be removed", node), fmt.Sprintf("%s would lose a replica", ask.CountWord(int64(held), "partition")),
			fmt.Sprintf("ottla cluster drain %d, or ottla cluster replace %d BY; --force removes it all the same", node, node))
	}
	voted := n != nil && !n.Vote.IsZero()
	if voted {
		if err := takeVote(ctx, client, node, n.Vote); err != nil {
			return ask.KafkaFailure(fmt.Sprintf("node %d keeps its vote", node), err)
		}
	}
	req := kmsg.NewPtrUnregisterBrokerRequest()
	req.BrokerID = node
	resp, err := req.RequestWith(ctx, client)
	if err == nil {
		err = refusal(resp.ErrorCode, resp.ErrorMessage)
	}
	if err != nil && !errors.Is(err, kerr.BrokerIDNotRegistered) {
		return ask.KafkaFailure(fmt.Sprintf("node %d keeps its place", node), err)
	}
	t := &out.Table{One: true, Columns: []out.Column{{Field: "removed", Title: "REMOVED", Right: true}, {Field: "voted", Title: "VOTED"}}}
	t.Add(node, voted)
	return o.Print(t)
}

func replicasOn(f *nodes.Facts, node int32) (held int) {
	for i := range f.Partitions {
		if slices.Contains(f.Partitions[i].Replicas, node) {
			held++
		}
	}
	return held
}

func takeVote(ctx context.Context, client *kgo.Client, node int32, directory uuid.UUID) error {
	req := kmsg.NewPtrRemoveRaftVoterRequest()
	req.VoterID, req.VoterDirectoryID = node, directory
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return fmt.Errorf("take the vote of node %d: %w", node, err)
	}
	if err := refusal(resp.ErrorCode, resp.ErrorMessage); !errors.Is(err, kerr.VoterNotFound) {
		return err
	}
	return nil
}

// refusal is an answer's error with the server's own words.
func refusal(code int16, message *string) error {
	err := kerr.ErrorForCode(code)
	if err != nil && message != nil && *message != "" {
		return fmt.Errorf("%s: %w", *message, err)
	}
	return err
}
