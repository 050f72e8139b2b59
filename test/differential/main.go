package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"

	"ottla/test/known"
	"ottla/test/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "differential:", err)
		os.Exit(1)
	}
}

// slow is the prefix of stories that take long: they run when -only names them.
const slow = "slow/"

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("differential", flag.ExitOnError)
	binary := flags.String("binary", "", "Ottla's program (built when empty)")
	only := flags.String("only", "", "stories whose name this matches")
	list := flags.Bool("list", false, "print the stories' names")
	verbose := flags.Bool("v", false, "print what listed differences excuse, and Kafka's transcripts")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	var chosen []story
	for _, s := range stories() {
		if pattern.MatchString(s.name) && (*only != "" || !strings.HasPrefix(s.name, slow)) {
			chosen = append(chosen, s)
		}
	}
	if *list {
		for _, s := range chosen {
			fmt.Println(s.name)
		}
		return nil
	}
	sides, stop, err := startBoth(ctx, *binary)
	if err != nil {
		return err
	}
	r := comparison{known: known.NewList(known.Answers), verbose: *verbose}
	for _, s := range chosen {
		r.compare(s.name, s.play(ctx, sides[0]), s.play(ctx, sides[1]))
		if ctx.Err() != nil {
			break
		}
	}
	return errors.Join(r.report(*only == ""), stop())
}

// startBoth starts Kafka and Ottla.
func startBoth(ctx context.Context, binary string) (sides [2]*rig.Node, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "ottla-differential-")
	if err != nil {
		return sides, nil, err
	}
	p, err := rig.StartPair(ctx, dir, binary)
	if err != nil {
		return sides, nil, fmt.Errorf("the nodes' folder is %s: %w", dir, err)
	}
	stop = func() error {
		if err := p.Stop(); err != nil {
			return fmt.Errorf("the nodes' folder is %s: %w", dir, err)
		}
		return os.RemoveAll(dir)
	}
	return [2]*rig.Node{p.Kafka, p.Ottla}, stop, nil
}
