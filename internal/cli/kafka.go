package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/kafkatools"
)

// RunProgram is Run for a binary that was called by a name of its own: called
// as kafka-topics or kafka-topics.sh it is that tool of Kafka.
func RunProgram(ctx context.Context, program string, args []string, in io.Reader, stdout, stderr io.Writer) int {
	if tool, ok := kafkatools.ForProgram(program); ok {
		return kafkatools.Run(ctx, tool, args, in, stdout, stderr)
	}
	return Run(ctx, args, in, stdout, stderr)
}

// kafkaCommand holds Kafka's tools. Their flags are Kafka's, so cobra hands
// every word on.
func kafkaCommand(o *options) *cobra.Command {
	var all []*cobra.Command
	for _, name := range kafkatools.Names() {
		all = append(all, &cobra.Command{
			Use:                name,
			Aliases:            []string{"kafka-" + name, "kafka-" + name + ".sh"},
			Short:              kafkatools.About(name),
			DisableFlagParsing: true,
			RunE: func(cmd *cobra.Command, args []string) error {
				if code := kafkatools.Run(cmd.Context(), name, args, o.in, o.out, o.err); code != fail.OK {
					return &exitCode{code}
				}
				return nil
			},
		})
	}
	c := group("kafka", "", "Kafka's own tools, with their flags and output", all...)
	c.Aliases = nil
	c.Long = "Kafka's own command-line tools, with Kafka's flags and output. They also run when this\n" +
		"binary is called by a tool's name: ln -s ottla kafka-topics.sh"
	c.Example = "  ottla kafka topics --bootstrap-server 127.0.0.1:9092 --list"
	return c
}
