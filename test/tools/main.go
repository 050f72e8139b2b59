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

	"ottla/test/known"
	"ottla/test/oracle/apache"
	"ottla/test/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "tools:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) (err error) {
	flags := flag.NewFlagSet("tools", flag.ExitOnError)
	binary := flags.String("binary", "", "Ottla's program (built when empty)")
	only := flags.String("only", "", "steps whose name this matches (later steps build on earlier ones)")
	own := flags.Bool("native", false, "compare Kafka's tools with those of ottla kafka, both against Ottla")
	verbose := flags.Bool("v", false, "print what both sides print")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
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
	c := comparison{known: known.NewList(known.Lines), verbose: *verbose}
	steps := script()
	kafka, ottla := &side{tools: tools}, &side{tools: tools}
	if *own {
		c.known, steps = known.NewList(known.Native), nativeScript()
		kafka, ottla, err = native(ctx, tools, dir, *binary)
	} else {
		var both rig.Pair
		both, err = rig.StartPair(ctx, dir, *binary)
		kafka.node, ottla.node = both.Kafka, both.Ottla
	}
	defer func() { _ = errors.Join(kafka.stop(), ottla.stop()) }() // a second stop is none
	if err != nil {
		return err
	}
	for _, st := range steps {
		if pattern.MatchString(st.name) {
			both := make(chan []string, 1) // a tool takes long to start, so both sides run at once
			go func() { both <- kafka.do(ctx, st) }()
			mine := ottla.do(ctx, st)
			c.compare(st.name, <-both, mine)
		}
	}
	if err := errors.Join(kafka.stop(), ottla.stop()); err != nil {
		return err
	}
	complaints, err := dump(ctx, tools, ottla.node.Data)
	return errors.Join(err, c.report(*only == "", complaints))
}
