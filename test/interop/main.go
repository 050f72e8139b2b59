package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

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
	languages := flags.String("languages", "", "all clients of these, separated by commas, e.g. Go,Java")
	count := flags.Int("nodes", 1, "nodes of the broker: 1, or 3, of which one or all in turn are restarted")
	slow := flags.Bool("slow", false, "also the clients whose first build takes minutes")
	binary := flags.String("binary", "", "Ottla's program (built when empty)")
	page := flags.String("write", "", "page that the table goes to; rows of clients that did not run stay as they are")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chosen, err := choose(*only, *languages, *slow)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "ottla-interop-")
	if err != nil {
		return err
	}
	if *count > 1 && *page != "" {
		return errors.New("the page tells of one node")
	}
	lanes := lanesOf(rig.Kind(*against), *count, len(chosen))
	brokers, err := startBrokers(ctx, rig.Kind(*against), dir, *binary, *count, lanes)
	if err != nil {
		return fmt.Errorf("start %s (its folder is %s): %w", *against, dir, err)
	}
	rows := runAll(ctx, dir, brokers, chosen)
	for _, broker := range brokers {
		if err := broker.Stop(); err != nil {
			rows = append(rows, row{client: *against, scenario: "stop", why: err.Error()})
		}
	}
	if *page != "" {
		if err := writePage(*page, chosen, rows); err != nil {
			return err
		}
	}
	return report(rows, dir)
}

// row is one line of the table.
type row struct {
	client, version, scenario string
	why                       string // of the failure; "" when it passed
	took                      time.Duration
}

// report prints the table, and removes dir when all is well.
func report(rows []row, dir string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "client\tversion\tscenario\ttook\tresult")
	var failed []row
	for _, r := range rows {
		result := "pass"
		if r.why != "" {
			result = "FAIL " + r.why
			failed = append(failed, r)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%.1fs\t%s\n", r.client, r.version, r.scenario, r.took.Seconds(), result)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Printf("%d passed, %d failed\n", len(rows)-len(failed), len(failed))
	if len(failed) > 0 {
		// Once more at the end, where who reads a long log looks first.
		for _, r := range failed {
			fmt.Printf("FAIL %s %s: %s\n", r.client, r.scenario, r.why)
		}
		return fmt.Errorf("%w; the broker's folder is %s", errFailed, dir)
	}
	return os.RemoveAll(dir)
}
