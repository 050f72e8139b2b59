package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/server"
)

func (n *nodeFlags) bind(f *pflag.FlagSet) {
	f.StringVar(&n.data, "data", "", "directory that keeps the data")
	f.StringVar(&n.listen, "listen", "", "HOST:PORT of the Kafka port")
	f.StringVar(&n.advertise, "advertise", "", "HOST:PORT that clients are told (default: the address each of them used)")
	f.StringVar(&n.http, "http", "", "HOST:PORT of the HTTP port, or off")
	f.StringVar(&n.configFile, "config", "", "settings file: YAML, or a Kafka server.properties")
	f.StringArrayVar(&n.set, "set", nil, "a broker setting as KEY=VALUE, may be repeated")
	f.StringSliceVar(&n.allowTargets, "allow-targets", nil, "internal hosts and networks that schedules may call, http:// before those for plain HTTP")
	f.StringVar(&n.functions, "functions", "", "file that declares the functions that targets may call")
	f.BoolVar(&n.adopt, "adopt", false, "take a data directory that was copied or restored from elsewhere")
	f.StringVar(&n.logFormat, "log-format", "text", "form of the log on standard error: text or json")
	f.StringVar(&n.logLevel, "log-level", "info", "debug, info, warn or error")
}

func serveCommand(o *ask.Options) *cobra.Command {
	var n nodeFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run a node",
		Long: "Run a node. Settings come from --config, then OTTLA_* and KAFKA_* of the environment, then\n" +
			"flags; later ones win. When it serves, one line `ready kafka=… http=…` goes to standard\n" +
			"output. SIGTERM and Ctrl-C stop it cleanly.",
		Example: "  ottla serve --data /var/lib/ottla --listen 127.0.0.1:9092\n" +
			"  ottla serve --config server.properties",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			static, report, err := n.layers("ottla serve", n.cluster.defaults())
			if err != nil {
				return err
			}
			logger, err := n.logger(o.Err)
			if err != nil {
				return err
			}
			so, err := n.serverOptions(static, logger)
			if err != nil {
				return err
			}
			if len(so.Dirs) == 0 {
				return fail.New(fail.Usage, "where shall the data be kept?", "serve never uses a temporary folder",
					"add --data DIR, or log.dirs in the settings file")
			}
			if n.logFormat == "text" {
				fmt.Fprintln(o.Err, report.String())
			} else {
				logger.Info("settings", "report", report.String())
			}
			logger.Info("starting", "version", ask.Version)
			ctx, cancel := n.cluster.lifetime(cmd.Context(), o.In)
			defer cancel()
			if err := n.cluster.foundIfAlone(ctx, &so, o.ConnectTimeout, logger); err != nil {
				return err
			}
			return run(ctx, so, func(node *server.Server) {
				keepToken(node, logger)
				readyLine(o.Out, node)
			})
		},
	}
	n.bind(c.Flags())
	n.cluster.bind(c.Flags())
	c.Flags().BoolVar(&n.insecure, "insecure", false, "listen beyond this machine although there is no login yet")
	return c
}
