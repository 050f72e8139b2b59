package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"ottla"
	"ottla/internal/cli"
	"ottla/test/oracle/apache"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	fixture := flag.String("fixture", "", "write kafka-clean.tar.gz and kafka-killed.tar.gz there and stop")
	flag.Parse()
	if err := run(ctx, *fixture); err != nil {
		fmt.Fprintln(os.Stderr, "imports:", err)
		os.Exit(1)
	}
}

// oneCase is a way in which Kafka ends.
type oneCase struct {
	name string
	kill bool
}

func run(ctx context.Context, fixture string) error {
	dir, err := os.MkdirTemp("", "ottla-imports-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, c := range []oneCase{{"clean", false}, {"killed", true}} {
		if err := c.run(ctx, filepath.Join(dir, c.name), fixture); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

func (c oneCase) run(ctx context.Context, dir, fixture string) error {
	work := wide
	if fixture != "" {
		work = narrow
	}
	kafka, err := apache.Start(ctx, filepath.Join(dir, "kafka"), map[string]string{
		"offsets.topic.num.partitions": "2", "transaction.state.log.num.partitions": "2",
		"group.initial.rebalance.delay.ms": "0", "log.initial.task.delay.ms": "1000",
		"log.index.size.max.bytes":                        "65536", // Kafka allocates it ahead
		"metadata.log.max.record.bytes.between.snapshots": "2000",
	})
	if err != nil {
		return err
	}
	source := filepath.Join(dir, "kafka", "data")
	want, err := fillAndSee(ctx, kafka.Addr, work)
	if err == nil {
		err = refusedWhileRunning(ctx, source, filepath.Join(dir, "early"))
	}
	if err != nil {
		return errors.Join(err, kafka.Stop())
	}
	if c.kill {
		err = kafka.Kill()
	}
	stopped := kafka.Stop()
	if err != nil || !c.kill && stopped != nil {
		return fmt.Errorf("end Kafka: %w", errors.Join(err, stopped))
	}
	if fixture != "" {
		return archive(source, filepath.Join(fixture, "kafka-"+c.name+".tar.gz"))
	}
	// Linked files are the source's own, so they come last.
	for _, t := range []struct {
		name string
		link bool
	}{{c.name, false}, {c.name + "-linked", true}} {
		if err := take(ctx, source, filepath.Join(dir, "data-"+t.name), t.link, want); err != nil {
			return fmt.Errorf("taken as %s: %w", t.name, err)
		}
		fmt.Printf("%-14s as it was in Kafka\n", t.name)
	}
	return nil
}

func fillAndSee(ctx context.Context, addr string, work workload) (*seen, error) {
	if err := work.fill(ctx, addr); err != nil {
		return nil, fmt.Errorf("fill Kafka: %w", err)
	}
	return see(ctx, addr)
}

// refusedWhileRunning checks that the directory of a running Kafka is left
// alone: Java locks with fcntl, which is not the lock that Ottla takes.
func refusedWhileRunning(ctx context.Context, source, data string) error {
	var out bytes.Buffer
	code := cli.Run(ctx, []string{"log", "import", source, "--data", data}, nil, &out, &out)
	if code != 1 || !strings.Contains(out.String(), "Kafka runs on it") {
		return fmt.Errorf("an import from a running Kafka ended with %d:\n%s", code, out.String())
	}
	return nil
}

// take imports, and holds Ottla's answers against Kafka's.
func take(ctx context.Context, source, data string, link bool, want *seen) error {
	before, err := treeSum(source)
	if err != nil {
		return err
	}
	args := []string{"log", "import", source, "--data", data}
	if link {
		args = append(args, "--link")
	}
	for _, line := range [][]string{{"log", "verify", source}, args, {"log", "verify", data}} {
		var out bytes.Buffer
		if code := cli.Run(ctx, line, nil, &out, &out); code != 0 {
			return fmt.Errorf("ottla %v ended with %d:\n%s", line, code, out.String())
		}
	}
	after, err := treeSum(source)
	if err != nil {
		return err
	}
	if before != after {
		return errors.New("the import changed the source")
	}
	node, err := ottla.Start(ctx, ottla.Options{Dir: data})
	if err != nil {
		return err
	}
	defer node.Close()
	got, err := see(ctx, node.Addr())
	if err != nil {
		return err
	}
	if err := want.differ(got); err != nil {
		return err
	}
	return goOn(ctx, node.Addr(), want)
}
