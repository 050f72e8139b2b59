package cli

import (
	"errors"
	"log/slog"
	"path/filepath"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
	"ottla/internal/datadir"
	"ottla/internal/peer"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// clusterToken reads the token where it is kept: no port gives it away.
func clusterToken(o *ask.Options) *cobra.Command {
	var data string
	c := &cobra.Command{
		Use:   "token",
		Short: "Show what other nodes join this one's cluster with",
		Long: "Show the token of the cluster that a data directory belongs to: what `ottla serve --join`\n" +
			"wants with --token. It is read from the directory, on a machine that has one, while the node\n" +
			"runs or not. Whoever has it can become a node: keep it as one keeps a password.",
		Example: "  ottla cluster token --data /var/lib/ottla",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			dir, err := tokenDir(data)
			if err != nil {
				return err
			}
			token, cluster, err := tokenIn(dir)
			if err != nil {
				return err
			}
			t := &out.Table{One: true, Columns: []out.Column{{Field: "token", Title: "TOKEN"}, {Field: "cluster"}}}
			t.Add(token, cluster)
			if o.Format == "table" {
				return t.Print(o.Out, "name")
			}
			return o.Print(t)
		},
	}
	c.Flags().StringVar(&data, "data", "", "first data directory of a node (default: that of \"ottla dev\")")
	return c
}

// keepToken has a node that founded its cluster write down what others join
// with, so that "ottla cluster token" finds it.
func keepToken(node *server.Server, logger *slog.Logger) {
	if _, err := node.Token(); err != nil {
		logger.Warn("other nodes cannot join by this one", "err", err)
	}
}

func tokenDir(data string) (string, error) {
	if data != "" {
		return data, nil
	}
	dir, err := stateDir()
	return filepath.Join(dir, "dev"), err
}

// tokenIn reads the token that a node's directory holds.
func tokenIn(dir string) (token, cluster string, err error) {
	owner, err := datadir.Owner(vfs.NewOS(), dir)
	if err != nil {
		var refused *datadir.Refused
		if errors.As(err, &refused) {
			return "", "", dirFailure(refused, err)
		}
		return "", "", &fail.Failure{Code: fail.Failed, What: "the token cannot be read", Why: err.Error(), Cause: err}
	}
	id, err := peer.Load(vfs.NewOS(), dir, peer.Whose{ClusterID: owner.ClusterID, NodeID: owner.NodeID, DirectoryID: owner.DirectoryID})
	switch {
	case errors.Is(err, peer.ErrNone):
		return "", "", fail.New(fail.NotFound, "there is no token in "+dir, "no node has made or joined a cluster there",
			"name the first data directory of a node with --data")
	case err != nil:
		return "", "", &fail.Failure{Code: fail.Failed, What: "the token cannot be read", Why: err.Error(), Cause: err}
	}
	return id.Token(), id.ClusterID, nil
}
