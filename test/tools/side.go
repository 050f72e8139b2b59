package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"ottla/test/oracle/apache"
	"ottla/test/rig"
)

// stepWithin bounds one call of a tool.
const stepWithin = 5 * time.Minute

// side is one broker, or a cluster of them, with the tools.
type side struct {
	cluster *rig.Cluster
	shell   *apache.Shell
	native  string // Ottla's program, when its own tools are this side's
	apart   bool   // each call of a tool of Kafka's has a JVM of its own
	tools   *apache.Distribution
	away    int    // the node that is stopped, 0 when all run
	behind  string // the topic whose replicas need not be in sync, "" for none
	mark    int    // counts the marks in the metadata
	silence func() // ends the members that are kept alive, nil when there are none
}

// node is the node that a step of this program's own speaks to.
func (s *side) node() *rig.Node { return s.cluster.Node(1) }

// do runs a step and gives its output, masked, one line each: standard output
// ("out"), then standard error ("err"), then the exit status. An error is one of
// the test, not of the tool.
func (s *side) do(ctx context.Context, st step) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	args := strings.Fields(st.args)
	if ended := st.tool == ownTool && args[0] == "kill"; !ended { // that node need not run any more
		if err := s.level(ctx); err != nil {
			return nil, err
		}
	}
	if st.tool == ownTool {
		return s.own(ctx, args)
	}
	stdin := st.stdin
	if slices.Contains(args, "FILE") {
		stdin = ""
	}
	remove, err := s.places(ctx, args, st.stdin)
	if err != nil {
		return nil, err
	}
	defer remove()
	o, err := s.call(ctx, st.tool, stdin, s.withServer(args))
	if err != nil {
		return nil, err
	}
	m := masks(s.cluster)
	lines := append(m.lines("out", o.Out), m.lines("err", withoutHelp(o.Err))...)
	return append(lines, fmt.Sprintf("exit %d", o.Exit)), nil
}

// call runs a tool of this side.
func (s *side) call(ctx context.Context, name, stdin string, args []string) (apache.Output, error) {
	var cmd *exec.Cmd
	switch {
	case s.native != "":
		cmd = exec.CommandContext(ctx, s.native, append([]string{"kafka", strings.TrimPrefix(name, "kafka-")}, args...)...)
	case s.apart:
		var err error
		if cmd, err = s.tools.Command(ctx, name, args...); err != nil {
			return apache.Output{}, err
		}
	default:
		return s.shell.Run(ctx, name, stdin, args...)
	}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		return apache.Output{}, fmt.Errorf("run %s: %w", name, errors.Join(err, ctx.Err()))
	}
	return apache.Output{Out: out.String(), Err: errs.String(), Exit: cmd.ProcessState.ExitCode()}, nil
}

// withServer puts the option that takes the broker's address where SERVER
// stands, or else last: some tools want it before their subcommand, some behind.
func (s *side) withServer(args []string) []string {
	option := []string{"--bootstrap-server", s.cluster.Bootstrap()}
	if at := slices.Index(args, "SERVER"); at >= 0 {
		return slices.Replace(args, at, at+1, option...)
	}
	return append(args, option...)
}

func writeTemp(text string) (string, error) {
	f, err := os.CreateTemp("", "ottla-tools-*.json")
	if err != nil {
		return "", err
	}
	if _, err := f.WriteString(text); err != nil {
		return "", errors.Join(err, f.Close())
	}
	return f.Name(), f.Close()
}
