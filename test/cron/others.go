package main

import (
	"bufio"
	"cmp"
	"context"
	"embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"ottla/test/packages"
)

// The versions that are compared with.
var (
	croniterPackages   = []string{"croniter==7.0.0", "tzdata"}
	cronParserPackages = []string{"cron-parser@5.10.5"}
)

//go:embed others/runs.py others/runs.js
var programs embed.FS

// question is what is asked of the others: the runs of an expression in [From,
// Until), at most Most.
type question struct {
	Croniter   string `json:"croniter"`
	CronParser string `json:"cronParser"`
	Zone       string `json:"zone"`
	From       int64  `json:"from"`
	Until      int64  `json:"until"`
	Most       int    `json:"most"`
}

type reply struct {
	Runs  []int64 `json:"runs"`
	Error string  `json:"error"`
}

// other is a program that answers questions, one at a time.
type other struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Scanner
}

// mostLine bounds a reply.
const mostLine = 64 << 20

// startOthers installs the packages and starts their programs; work is a folder
// for them.
func startOthers(ctx context.Context, work string) (croniter, cronParser *other, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, nil, fmt.Errorf("find the user's cache: %w", err)
	}
	cache = filepath.Join(cache, "ottla-cron")
	python, err := packages.Python(ctx, cache, croniterPackages)
	if err != nil {
		return nil, nil, err
	}
	node, err := packages.Node(ctx, cache, cronParserPackages)
	if err != nil {
		return nil, nil, err
	}
	croniter, err = start(ctx, work, "croniter", "runs.py", "python3", "PYTHONPATH="+python)
	if err != nil {
		return nil, nil, err
	}
	cronParser, err = start(ctx, work, "cron-parser", "runs.js", "node", "NODE_PATH="+node)
	return croniter, cronParser, err
}

func start(ctx context.Context, work, name, program, runner, variable string) (*other, error) {
	text, err := programs.ReadFile("others/" + program)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(work, program)
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return nil, err
	}
	o := &other{name: name, cmd: exec.CommandContext(ctx, runner, path)}
	o.cmd.Env = append(os.Environ(), variable)
	o.cmd.Stderr = os.Stderr
	if o.in, err = o.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	pipe, err := o.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	o.out = bufio.NewScanner(pipe)
	o.out.Buffer(nil, mostLine)
	if err := o.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return o, nil
}

// ask asks one question.
func (o *other) ask(q question) (reply, error) {
	var r reply
	line, err := json.Marshal(q)
	if err != nil {
		return r, err
	}
	if _, err := o.in.Write(append(line, '\n')); err != nil {
		return r, fmt.Errorf("ask %s: %w", o.name, err)
	}
	if !o.out.Scan() {
		return r, fmt.Errorf("%s has ended: %w", o.name, cmp.Or(o.out.Err(), io.EOF))
	}
	if err := json.Unmarshal(o.out.Bytes(), &r); err != nil {
		return r, fmt.Errorf("%s answers %.200q: %w", o.name, o.out.Bytes(), err)
	}
	return r, nil
}

// end lets the program end.
func (o *other) end() error {
	if err := o.in.Close(); err != nil {
		return err
	}
	return o.cmd.Wait()
}
