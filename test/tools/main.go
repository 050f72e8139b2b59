package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"syscall"

	"ottla/test/oracle/apache"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

// options are those of the command line.
type options struct {
	binary  string
	only    *regexp.Regexp
	nodes   int
	native  bool
	short   bool
	apart   bool
	verbose bool
}

func parse(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("tools", flag.ExitOnError)
	flags.StringVar(&o.binary, "binary", "", "Ottla's program (built when empty)")
	only := flags.String("only", "", "steps whose name this matches (later steps build on earlier ones)")
	flags.IntVar(&o.nodes, "nodes", 1, "1, or 3 for the script of a cluster")
	flags.BoolVar(&o.native, "native", false, "without Kafka: compare its tools with those of ottla kafka, both against Ottla")
	flags.BoolVar(&o.short, "short", false, "with -nodes 3: only reassignments, elections, the quorum and features")
	flags.BoolVar(&o.apart, "apart", false, "run each call of Kafka's tools in a JVM of its own")
	flags.BoolVar(&o.verbose, "v", false, "print what the sides print")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("-only: %w", err)
	}
	if o.nodes != 1 && o.nodes != 3 || o.native && o.nodes != 1 {
		return o, errors.New("-nodes is 1 or 3; ottla kafka is compared with one node")
	}
	return o, nil
}

func run(ctx context.Context, args []string) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	tools, err := apache.Tools(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ottla-tools-")
	if err != nil {
		return err
	}
	defer func() {
		if err == nil {
			err = os.RemoveAll(dir)
		} else {
			err = fmt.Errorf("%w; the nodes' folder is %s", err, dir)
		}
	}()
	t, err := newTrial(ctx, o, tools, dir)
	defer func() { err = errors.Join(err, t.stop()) }() // a second stop is none
	if err != nil {
		return err
	}
	if err := t.play(ctx); err != nil {
		return err
	}
	return t.judge(ctx)
}
