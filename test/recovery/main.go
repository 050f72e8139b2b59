//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"ottla/test/realfault"
)

var (
	trials  = flag.Int("trials", 20, "trials of each fault")
	only    = flag.String("only", "", "parts to run, comma-separated: "+strings.Join(parts, ", "))
	ottlaAt = flag.String("binary", "", "path of ottla; without it cmd/ottla is built")
	keepIn  = flag.String("dir", "", "where all is kept; without it a temporary folder")
	each    = flag.Bool("each", false, "tell of each trial")
)

// parts of a run, in their order.
var parts = []string{"kill", "patient", "stop", "freeze", "cut", "many"}

func main() {
	flag.Parse()
	realfault.Main("recovery", run)
}

func run(ctx context.Context) error {
	chosen := parts
	if *only != "" {
		chosen = strings.Split(*only, ",")
	}
	for _, name := range chosen {
		if !slices.Contains(parts, name) {
			return fmt.Errorf("there is no part %q; there are %s", name, strings.Join(parts, ", "))
		}
	}
	work, clean, err := realfault.WorkDir(*keepIn, "recovery")
	if err != nil {
		return err
	}
	path, err := realfault.Binary(ctx, *ottlaAt, work)
	if err != nil {
		return err
	}
	began := time.Now()
	s, err := raise(ctx, path, work)
	if err == nil {
		err = s.perform(ctx, chosen)
	}
	err = errors.Join(err, s.close(context.WithoutCancel(ctx)))
	fmt.Printf("recovery: %s, %v\n\n", s.about(), time.Since(began).Round(time.Second))
	missed := s.figures.print(os.Stdout)
	switch {
	case err != nil:
		return fmt.Errorf("%w (logs are in %s)", err, work)
	case len(missed) > 0:
		return fmt.Errorf("over the goal: %s (logs are in %s)", strings.Join(missed, ", "), work)
	}
	return clean()
}

// perform does the parts of a run.
func (s *stage) perform(ctx context.Context, chosen []string) error {
	if slices.ContainsFunc(chosen, func(name string) bool { return name != "many" }) {
		if err := s.underLoad(ctx, chosen); err != nil {
			return err
		}
	}
	if slices.Contains(chosen, "many") {
		if err := s.many(ctx, *trials); err != nil {
			return fmt.Errorf("many partitions: %w", err)
		}
	}
	return nil
}

// say tells of a trial, where that is wanted.
func say(format string, args ...any) {
	if *each {
		fmt.Printf("  "+format+"\n", args...)
	}
}
