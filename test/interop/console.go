package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strings"

	"ottla/test/interop/crowd"
	"ottla/test/oracle/apache"
)

// console runs Kafka's own command-line tools.
type console struct {
	addr, prefix string
	tools        *apache.Distribution
}

// runConsole is the client program for the console tools.
func runConsole(ctx context.Context, addr, prefix string) error {
	tools, err := apache.Tools(ctx)
	if err != nil {
		return err
	}
	c := &console{addr: addr, prefix: prefix, tools: tools}
	fmt.Println("VERSION", tools.Version)
	crowd.Tell("create", c.create(ctx))
	crowd.Tell("console", c.roundTrip(ctx, c.prefix+"-create", 0))
	crowd.Tell("perf", c.perf(ctx))
	crowd.Tell("restart", c.restart(ctx))
	return nil
}

// run runs one tool with the bootstrap server set, and gives what it printed.
func (c *console) run(ctx context.Context, stdin, name string, args ...string) (string, error) {
	cmd, err := c.tools.Command(ctx, name, append([]string{"--bootstrap-server", c.addr}, args...)...)
	if err != nil {
		return "", err
	}
	var errs bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(stdin), &errs
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(out), fmt.Errorf("%s ended with %d: %s %s", name, exit.ExitCode(), out, errs.Bytes()[max(0, errs.Len()-tailBytes):])
	}
	return string(out), err
}

func (c *console) create(ctx context.Context) error {
	topic := c.prefix + "-create"
	if _, err := c.run(ctx, "", "kafka-topics", "--create", "--topic", topic, "--partitions", "3"); err != nil {
		return err
	}
	out, err := c.run(ctx, "", "kafka-topics", "--describe", "--topic", topic)
	if err != nil {
		return err
	}
	if got := strings.Count(out, "Leader:"); got != 3 || !strings.Contains(out, "PartitionCount: 3") {
		return fmt.Errorf("describe shows %d leaders in %q, want 3", got, out)
	}
	return nil
}

// roundTrip sends three lines with keys and headers and reads all that is there.
func (c *console) roundTrip(ctx context.Context, topic string, from int) error {
	var lines strings.Builder
	for i := range 3 {
		fmt.Fprintf(&lines, "h:%d\tk\tline %d\n", i, from+i) // one key, so one partition
	}
	if _, err := c.run(ctx, lines.String(), "kafka-console-producer", "--topic", topic,
		"--reader-property", "parse.key=true", "--reader-property", "parse.headers=true"); err != nil {
		return err
	}
	found, err := c.read(ctx, topic)
	if err != nil {
		return err
	}
	for i := range 3 {
		if want := fmt.Sprintf("h:%d\tk\tline %d\n", i, from+i); strings.Count(found, want) != 1 {
			return fmt.Errorf("the consumer printed %q, want %q once", found, want)
		}
	}
	return nil
}

// read gives what the console consumer prints of each partition: as many records
// as there are, so that it ends however slowly they come.
func (c *console) read(ctx context.Context, topic string) (string, error) {
	ends, err := c.run(ctx, "", "kafka-get-offsets", "--topic", topic)
	if err != nil {
		return "", err
	}
	var all strings.Builder
	for line := range strings.Lines(ends) { // topic:partition:end
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 3 {
			return "", fmt.Errorf("kafka-get-offsets prints %q", ends)
		}
		if fields[2] == "0" {
			continue
		}
		out, err := c.run(ctx, "", "kafka-console-consumer", "--topic", topic, "--partition", fields[1], "--offset", "earliest",
			"--max-messages", fields[2], "--formatter-property", "print.key=true", "--formatter-property", "print.headers=true")
		if err != nil {
			return "", err
		}
		all.WriteString(out)
	}
	return all.String(), nil
}

var perfLine = regexp.MustCompile(`(\d+) records sent, [0-9.,]+ records/sec`)

func (c *console) perf(ctx context.Context) error {
	topic := c.prefix + "-perf"
	if _, err := c.run(ctx, "", "kafka-topics", "--create", "--topic", topic, "--partitions", "1"); err != nil {
		return err
	}
	out, err := c.run(ctx, "", "kafka-producer-perf-test", "--topic", topic, "--num-records", "20000", "--record-size", "200", "--throughput", "-1")
	if err != nil {
		return err
	}
	// A slow run also says how far it is, every five seconds.
	if all := perfLine.FindAllStringSubmatch(out, -1); len(all) == 0 || all[len(all)-1][1] != "20000" {
		return fmt.Errorf("the perf test printed %q, want 20000 records sent", out)
	}
	offsets, err := c.run(ctx, "", "kafka-get-offsets", "--topic", topic)
	if err != nil {
		return err
	}
	if want := topic + ":0:20000"; strings.TrimSpace(offsets) != want {
		return fmt.Errorf("kafka-get-offsets prints %q, want %q", offsets, want)
	}
	return nil
}

func (c *console) restart(ctx context.Context) error {
	<-crowd.AskRestart()
	return c.roundTrip(ctx, c.prefix+"-create", 3)
}
