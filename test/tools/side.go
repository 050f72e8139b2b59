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
const stepWithin = 90 * time.Second

// side is one broker with the tools.
type side struct {
	node    *rig.Node
	tools   *apache.Distribution
	native  string // Ottla's program, when its own tools are this side's
	stopped bool
	silence func() // ends the members that are kept alive, nil when there are none
}

// do runs a step and gives its output, masked, one line each: standard output
// ("out"), then standard error ("err"), then the exit status.
func (s *side) do(ctx context.Context, st step) []string {
	ctx, cancel := context.WithTimeout(ctx, stepWithin)
	defer cancel()
	args := strings.Fields(st.args)
	if st.tool == ownTool {
		return s.own(ctx, args)
	}
	stdin := st.stdin
	for i, a := range args {
		if a != "FILE" {
			continue
		}
		name, err := writeTemp(st.stdin)
		if err != nil {
			return []string{"cannot run: " + err.Error()}
		}
		defer os.Remove(name)
		args[i], stdin = name, ""
	}
	cmd, err := s.command(ctx, st.tool, withServer(args, s.node.Addr))
	if err != nil {
		return []string{"cannot run: " + err.Error()}
	}
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return []string{"cannot run: " + err.Error()}
	}
	m := masks(s.node)
	lines := append(m.lines("out", out.String()), m.lines("err", withoutHelp(errs.String()))...)
	return append(lines, fmt.Sprintf("exit %d", cmd.ProcessState.ExitCode()))
}

// withServer puts the option that takes the broker's address where SERVER
// stands, or else last: some tools want it before their subcommand, some behind.
func withServer(args []string, addr string) []string {
	option := []string{"--bootstrap-server", addr}
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

func (s *side) stop() error {
	if s.stopped || s.node == nil {
		return nil
	}
	s.stopped = true
	return s.node.Stop()
}
