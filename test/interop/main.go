package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"ottla/test/rig"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "interop:", err)
		os.Exit(1)
	}
}

// errFailed says that some scenario failed; the table tells which.
var errFailed = errors.New("some scenarios failed")

func run(ctx context.Context, args []string) error {
	if len(args) == 3 && strings.HasPrefix(args[0], "client-") {
		return runClient(ctx, strings.TrimPrefix(args[0], "client-"), args[1], args[2])
	}
	flags := flag.NewFlagSet("interop", flag.ExitOnError)
	against := flags.String("against", string(rig.Ottla), "ottla or kafka")
	only := flags.String("only", "", "clients, separated by commas (all: "+clientNames()+")")
	binary := flags.String("binary", "", "Ottla's program (built when empty)")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ottla-interop-")
	if err != nil {
		return err
	}
	node, err := rig.New(ctx, rig.Options{
		Kind: rig.Kind(*against), Dir: dir, Binary: *binary,
		Settings: map[string]string{"auto.create.topics.enable": "true", "num.partitions": "3"},
	})
	if err != nil {
		return fmt.Errorf("start %s (its folder is %s): %w", *against, dir, err)
	}
	rows := runAll(ctx, node, chosen)
	if err := node.Stop(); err != nil {
		rows = append(rows, row{client: *against, scenario: "stop", why: err.Error()})
	}
	return report(rows, dir)
}

// runAll runs one client after the other.
func runAll(ctx context.Context, node *rig.Node, chosen []client) []row {
	cache, err := os.UserCacheDir()
	if err != nil {
		return []row{{client: "all", scenario: "install", why: err.Error()}}
	}
	var rows []row
	for _, c := range chosen {
		fmt.Fprintf(os.Stderr, "interop: %s\n", c.name)
		cmd, err := c.command(ctx, filepath.Join(cache, "ottla-interop"))
		if err != nil {
			rows = append(rows, row{client: c.name, scenario: "install", why: err.Error()})
			continue
		}
		rows = append(rows, session{client: c, node: node}.run(ctx, cmd)...)
		if ctx.Err() != nil {
			break
		}
		if err := node.Alive(); err != nil {
			rows = append(rows, row{client: c.name, scenario: "broker", why: err.Error()})
			if err := node.Start(ctx); err != nil {
				return append(rows, row{client: c.name, scenario: "broker", why: err.Error()})
			}
		}
	}
	return rows
}

// row is one line of the table.
type row struct {
	client, version, scenario string
	why                       string // of the failure; "" when it passed
}

// report prints the table, and removes dir when all is well.
func report(rows []row, dir string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "client\tversion\tscenario\tresult")
	passed, failed := 0, 0
	for _, r := range rows {
		result := "pass"
		if r.why != "" {
			result = "FAIL " + r.why
			failed++
		} else {
			passed++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.client, r.version, r.scenario, result)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("%d passed, %d failed\n", passed, failed)
	if failed > 0 {
		return fmt.Errorf("%w; the broker's folder is %s", errFailed, dir)
	}
	return os.RemoveAll(dir)
}
