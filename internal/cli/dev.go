package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/clock"
	"ottla/internal/datadir"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// devDefaults differ from Kafka's so that a first try needs no settings.
var devDefaults = map[string]string{
	"listeners":                        "PLAINTEXT://" + ask.DefaultBootstrap,
	"num.partitions":                   "3",
	"auto.create.topics.enable":        "true",
	"group.initial.rebalance.delay.ms": "0",
}

// memoryData is where --ephemeral keeps its files, in memory.
const memoryData = "/dev-ephemeral"

func devCommand(o *ask.Options) *cobra.Command {
	var n nodeFlags
	var ephemeral, fresh, withDemo bool
	var count int
	c := &cobra.Command{
		Use:   "dev",
		Short: "Run a node for development on this machine",
		Long: "Run a node for development: any Kafka client on this machine can use it at once. Data is\n" +
			"kept between runs and as durable as in production; --ephemeral keeps it in memory and\n" +
			"forgets it, --fresh begins anew. --demo runs a small shop on it, with buses, rules, queues,\n" +
			"schedules and calls, and says what to look at. Its data is apart from that of other runs.",
		Example: "  ottla dev\n  ottla dev --ephemeral --demo\n  ottla dev --nodes 3",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if withDemo && n.http == "off" {
				return fail.Usagef("--demo needs the HTTP port: it does not go with --http off")
			}
			if withDemo && !cmd.Flags().Changed("log-level") {
				n.logLevel = "error" // calls that fail and dead letters are what a demo shows
			}
			if count != 1 {
				return devSeveral(cmd.Context(), o, &n, count, ephemeral, fresh, withDemo)
			}
			return dev(cmd.Context(), o, &n, ephemeral, fresh, withDemo)
		},
	}
	n.bind(c.Flags())
	c.Flags().BoolVar(&ephemeral, "ephemeral", false, "keep data in memory and forget it at the end")
	c.Flags().BoolVar(&fresh, "fresh", false, "delete the development data first")
	c.Flags().BoolVar(&withDemo, "demo", false, "run a small shop that uses all of it, and say what to look at")
	c.Flags().IntVar(&count, "nodes", 1, "run a cluster of so many nodes, each a process, with keys to kill, stop, pause and start them")
	// The log of a node somebody looks at begins where something is wrong.
	c.Flags().Lookup("log-level").DefValue = "warn"
	n.logLevel = "warn"
	return c
}

// devSeveral refuses what several nodes cannot be, and runs them.
func devSeveral(ctx context.Context, o *ask.Options, n *nodeFlags, count int, ephemeral, fresh, withDemo bool) error {
	switch {
	case count < 1:
		return fail.Usagef("--nodes %d: at least 1", count)
	case ephemeral && (fresh || n.data != ""):
		return fail.Usagef("--ephemeral keeps nothing on disk: it does not go with --data or --fresh")
	case n.advertise != "":
		return fail.Usagef("--advertise names one node: it does not go with --nodes")
	}
	return devNodes(ctx, o, n, count, ephemeral, fresh, withDemo)
}

func dev(ctx context.Context, o *ask.Options, n *nodeFlags, ephemeral, fresh, withDemo bool) error {
	began := time.Now()
	if ephemeral && (fresh || n.data != "") {
		return fail.Usagef("--ephemeral keeps nothing on disk: it does not go with --data or --fresh")
	}
	note, err := n.devData(ephemeral, fresh, withDemo)
	if err != nil {
		return err
	}
	static, _, err := n.layers("ottla dev", devDefaults)
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
	so.HTTPOptional = n.http == ""
	so.LoopbackTargets = true
	if ephemeral {
		so.FS, so.Dirs = vfs.NewMem(0), []string{memoryData}
		so.Clock = &clock.Clock{} // tests move it: POST /clock
		so.Now, so.Live = so.Clock.Now, time.Now
	}
	var shop sync.WaitGroup
	defer shop.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // a node that fails ends the demo
	return run(ctx, so, func(node *server.Server) {
		banner(o, node, so, safety(ephemeral), note, time.Since(began))
		readyLine(o.Out, node)
		if withDemo {
			shop.Go(func() { demoOn(ctx, o, node) })
		}
	})
}

// folderOf is the folder of the data: a demo has its own, for it takes and deletes what it
// has made.
func folderOf(withDemo bool) string {
	if withDemo {
		return "demo"
	}
	return "dev"
}

// devData finds the folder of the development data and says what it holds.
func (n *nodeFlags) devData(ephemeral, fresh, withDemo bool) (note string, err error) {
	if ephemeral {
		return "in memory, forgotten at the end", nil
	}
	if n.data == "" {
		dir, err := stateDir()
		if err != nil {
			return "", err
		}
		n.data = filepath.Join(dir, folderOf(withDemo))
	}
	if fresh {
		if err := clearData(n.data); err != nil {
			return "", err
		}
	}
	if entries, err := os.ReadDir(n.data); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return "new; kept between runs (--ephemeral to forget)", nil
	}
	return "as it was left (--fresh to begin anew)", nil
}

// clearData deletes a data directory, but only one that is ours and that no
// node holds.
func clearData(dir string) error {
	if entries, err := os.ReadDir(dir); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	held, err := datadir.Open(vfs.NewOS(), dir, datadir.Options{NodeID: -1, Adopt: true})
	if err != nil {
		return &fail.Failure{Code: fail.Failed, What: "--fresh did not delete " + dir, Why: err.Error(), Cause: err}
	}
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != ".lock" {
			err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
		}
	}
	if err := errors.Join(err, held.Close()); err != nil {
		return fail.New(fail.Failed, "--fresh could not delete all of "+dir, err.Error(), "delete it by hand")
	}
	return nil
}

// safety says what becomes of acknowledged records when the power fails.
func safety(ephemeral bool) string {
	if ephemeral {
		return "lost with the process"
	}
	return "durable as in production"
}

func banner(o *ask.Options, node *server.Server, so server.Options, safety, note string, took time.Duration) {
	data := so.Dirs[0]
	if home, err := os.UserHomeDir(); err == nil {
		if rel, err := filepath.Rel(home, data); err == nil && filepath.IsLocal(rel) {
			data = "~/" + rel
		}
	}
	if data == memoryData {
		data = ""
	} else {
		data += "    "
	}
	at := ""
	if node.KafkaAddr() != ask.DefaultBootstrap {
		at = " -b " + node.KafkaAddr()
	}
	fmt.Fprintf(o.Out, "\n  ottla %s  single node, development mode    ready in %d ms\n", ask.Version, took.Milliseconds())
	fmt.Fprintf(o.Out, "  Kafka      %-22s any client, any language\n", node.KafkaAddr())
	if node.HTTPAddr() != "" {
		fmt.Fprintf(o.Out, "  HTTP       http://%-15s health /readyz, metrics /metrics\n", node.HTTPAddr())
		fmt.Fprintf(o.Out, "  Queues     http://%-15s ottla queue create jobs%s, and for dead letters ottla dlq list%s%s\n", node.HTTPAddr(), awsAt(node.HTTPAddr()), at, awsAt(node.HTTPAddr()))
		fmt.Fprintf(o.Out, "  Schedules  http://%-15s ottla schedule put tick --every 5s --queue jobs --input tick%s\n", node.HTTPAddr(), awsAt(node.HTTPAddr()))
		fmt.Fprintf(o.Out, "  Events     http://%-15s ottla event put default OrderPlaced '{\"id\":1}'%s, and ottla rule put for where they go\n", node.HTTPAddr(), awsAt(node.HTTPAddr()))
		fmt.Fprintf(o.Out, "  AWS        http://%-15s EventBridge, SNS, SQS, Scheduler: eval \"$(ottla aws env%s)\" (signatures are not checked)\n", node.HTTPAddr(), awsAt(node.HTTPAddr()))
	}
	if so.Clock != nil && node.HTTPAddr() != "" {
		fmt.Fprintf(o.Out, "  Clock      curl -X POST http://%s/clock -d '{\"advance\":\"24h\"}' moves delays, schedules, retention\n", node.HTTPAddr())
	}
	fmt.Fprintf(o.Out, "  Data       %s%s\n", data, note)
	fmt.Fprintf(o.Out, "  Safety     %s; no login because only this machine can connect\n\n", safety)
	fmt.Fprintf(o.Out, "  Try, in another terminal:\n")
	fmt.Fprintf(o.Out, "    echo '{\"id\":1,\"total\":9.5}' | ottla produce orders%s\n", at)
	fmt.Fprintf(o.Out, "    ottla consume orders%s\n\n", at)
}
