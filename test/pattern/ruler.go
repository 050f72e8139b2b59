package main

import (
	"bufio"
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

// rulerPackages are event-ruler and what reads JSON for it.
var rulerPackages = []string{"software.amazon.event.ruler:event-ruler:2.1.0"}

//go:embed java/*.java
var programs embed.FS

// ruler is our program round event-ruler, which answers line by line.
type ruler struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// question is one pattern with its events.
type question struct {
	Pattern string   `json:"pattern"`
	Events  []string `json:"events"`
}

// java compiles one of our programs and returns the command that runs it.
func java(ctx context.Context, name string, flags ...string) (*exec.Cmd, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, fmt.Errorf("find the user's cache: %w", err)
	}
	cache = filepath.Join(cache, "ottla-pattern")
	libs, err := packages.Maven(ctx, cache, rulerPackages)
	if err != nil {
		return nil, err
	}
	libs = filepath.Join(libs, "*")
	source, err := programs.ReadFile("java/" + name + ".java")
	if err != nil {
		return nil, err
	}
	classes, err := packages.Once(cache, "classes", []string{name, string(source), libs}, func(dir string) error {
		file := filepath.Join(dir, name+".java")
		if err := os.WriteFile(file, source, 0o644); err != nil {
			return err
		}
		return packages.Run(ctx, dir, "javac", "-nowarn", "-proc:none", "-cp", libs, "-d", dir, file)
	})
	if err != nil {
		return nil, err
	}
	path := classes + string(filepath.ListSeparator) + libs
	cmd := exec.CommandContext(ctx, "java", append(flags, "-XX:+UseSerialGC", "-cp", path, name)...)
	cmd.Stderr = os.Stderr
	return cmd, nil
}

func startRuler(ctx context.Context) (*ruler, error) {
	cmd, err := java(ctx, "Oracle", "-Xmx512M")
	if err != nil {
		return nil, err
	}
	r := &ruler{cmd: cmd}
	if r.in, err = cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	r.out = bufio.NewReaderSize(out, 1<<20)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start event-ruler: %w", err)
	}
	return r, nil
}

// ask asks about a batch; an answer is 1, 0 or x for each event, or ! and why the
// pattern is refused.
func (r *ruler) ask(batch []drawn) ([]string, error) {
	questions := make([]question, len(batch))
	for i, d := range batch {
		questions[i] = question{d.pattern, d.events}
	}
	line, err := json.Marshal(questions)
	if err != nil {
		return nil, err
	}
	if _, err := r.in.Write(append(line, '\n')); err != nil {
		return nil, fmt.Errorf("ask event-ruler: %w", err)
	}
	reply, err := r.out.ReadBytes('\n')
	if err != nil {
		return nil, fmt.Errorf("event-ruler has ended: %w", err)
	}
	var answers []string
	if err := json.Unmarshal(reply, &answers); err != nil {
		return nil, fmt.Errorf("event-ruler answers %.200q: %w", reply, err)
	}
	if len(answers) != len(batch) {
		return nil, fmt.Errorf("event-ruler answers %d of %d questions", len(answers), len(batch))
	}
	return answers, nil
}

func (r *ruler) end() error {
	if err := r.in.Close(); err != nil {
		return err
	}
	return r.cmd.Wait()
}
