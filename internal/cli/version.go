package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"ottla/internal/cli/out"
)

// Version is the release; a build made by hand says dev.
const Version = "0.1.0-dev"

// KafkaRelease is the release whose wire protocol Ottla speaks.
const KafkaRelease = "4.4"

func versionCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this binary",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			t := &out.Table{One: true, Columns: []out.Column{
				{Field: "version", Title: "VERSION"}, {Field: "kafka_protocol", Title: "KAFKA PROTOCOL"},
				{Field: "revision", Title: "REVISION"}, {Field: "go", Title: "GO"}, {Field: "platform", Title: "PLATFORM"},
			}}
			t.Add(Version, KafkaRelease, revision(), runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
			return o.print(t)
		},
	}
}

func revision() any {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return nil
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return nil
}
