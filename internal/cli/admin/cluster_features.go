package admin

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/out"
)

// clusterFeatures shows at which level the cluster runs each of Kafka's
// features, and which the node that is asked could run.
func clusterFeatures(o *ask.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "features",
		Short: "List features with the levels that run and those that could",
		Long: "List Kafka's features: the level at which the cluster runs each, and the levels that the node\n" +
			"could run. A cluster keeps its levels when a newer release is started on it; kafka-features\n" +
			"upgrade raises them.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := o.Connect(cmd.Context())
			if err != nil {
				return err
			}
			defer c.Close()
			req := kmsg.NewPtrApiVersionsRequest()
			req.ClientSoftwareName, req.ClientSoftwareVersion = "ottla-cli", ask.Version
			resp, err := req.RequestWith(cmd.Context(), c)
			if err != nil {
				return ask.KafkaFailure("cannot ask for the features", err)
			}
			return o.Print(featureTable(resp))
		},
	}
}

func featureTable(resp *kmsg.ApiVersionsResponse) *out.Table {
	t := &out.Table{Columns: []out.Column{
		{Field: "feature", Title: "FEATURE"}, {Field: "level", Title: "LEVEL", Right: true},
		{Field: "lowest"}, {Field: "highest"}, {Field: "supported", Title: "SUPPORTED"},
	}}
	level := map[string]int16{}
	for _, f := range resp.FinalizedFeatures {
		level[f.Name] = f.MaxVersionLevel
	}
	for _, f := range resp.SupportedFeatures {
		span := fmt.Sprintf("%d-%d", f.MinVersion, f.MaxVersion)
		if f.MinVersion == f.MaxVersion {
			span = fmt.Sprint(f.MinVersion)
		}
		t.Add(f.Name, level[f.Name], f.MinVersion, f.MaxVersion, span)
	}
	return t
}
