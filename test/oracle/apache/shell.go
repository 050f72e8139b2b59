package apache

import (
	"context"
	_ "embed" // the program that runs in the JVM
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
)

//go:embed java/Shell.java
var shellSource []byte

// mostOutput bounds what one call may print.
const mostOutput = 64 << 20

// Output is what a command printed, and how it ended.
type Output struct {
	Out, Err string
	Exit     int
}

// Shell runs Kafka's commands one after the other in one JVM, because starting
// one takes a second or more of a processor for each command that then works for
// a tenth of it. What a command prints and how it exits are its own all the same.
// It is safe for concurrent use; calls wait for each other.
type Shell struct {
	d   *Distribution
	mu  sync.Mutex // guards what follows
	cmd *exec.Cmd  // nil when no JVM runs
	in  io.WriteCloser
	out io.ReadCloser
}

// Shell makes a shell; its JVM starts with the first call.
func (d *Distribution) Shell() *Shell { return &Shell{d: d} }

// Run runs a command, by its usual script name, to its end. A call that ctx ends
// ends the JVM with it.
func (s *Shell) Run(ctx context.Context, name, stdin string, args ...string) (Output, error) {
	class, err := s.d.class(name)
	if err != nil {
		return Output{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(ctx); err != nil {
		return Output{}, err
	}
	o, err := s.within(ctx, append([]string{class, stdin}, args...))
	if err == nil {
		return o, nil
	}
	return Output{}, errors.Join(fmt.Errorf("%s in the JVM of the tools: %w", name, err), s.end())
}

// within is call, and ends the JVM when ctx ends first: the call then fails.
func (s *Shell) within(ctx context.Context, texts []string) (Output, error) {
	jvm := s.cmd.Process
	stop := context.AfterFunc(ctx, func() { _ = jvm.Kill() })
	o, err := s.call(texts)
	if !stop() {
		err = errors.Join(err, ctx.Err())
	}
	return o, err
}

// start starts the JVM when none runs. The caller holds mu.
func (s *Shell) start(ctx context.Context) error {
	if s.cmd != nil {
		return nil
	}
	dir, err := os.MkdirTemp("", "ottla-shell-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "Shell.java"), shellSource, 0o644); err != nil {
		return err
	}
	if text, err := exec.CommandContext(ctx, "javac", "-cp", s.d.ClassPath(), "-d", dir, filepath.Join(dir, "Shell.java")).CombinedOutput(); err != nil {
		return fmt.Errorf("compile the shell of the tools: %w: %s", err, text)
	}
	cmd := s.d.java(context.Background(), dir+string(filepath.ListSeparator)+s.d.ClassPath(), "Shell")
	cmd.Stderr = os.Stderr // of the JVM alone; what commands say there is theirs
	if s.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if s.out, err = cmd.StdoutPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start a JVM for the tools: %w", err)
	}
	s.cmd = cmd
	// The classes lie in dir until the first call has loaded them.
	if _, err := s.within(ctx, []string{"org.apache.kafka.tools.TopicCommand", "", "--version"}); err != nil {
		return errors.Join(fmt.Errorf("the JVM of the tools: %w", err), s.end())
	}
	return nil
}

// call writes a call and reads its answer; see Shell.java for the format.
func (s *Shell) call(texts []string) (Output, error) {
	asked := binary.BigEndian.AppendUint32(nil, uint32(len(texts)))
	for _, t := range texts {
		asked = append(binary.BigEndian.AppendUint32(asked, uint32(len(t))), t...)
	}
	if _, err := s.in.Write(asked); err != nil {
		return Output{}, err
	}
	exit, err := s.number()
	if err != nil {
		return Output{}, err
	}
	out, err := s.text()
	if err != nil {
		return Output{}, err
	}
	errs, err := s.text()
	return Output{Out: out, Err: errs, Exit: int(int32(exit))}, err
}

func (s *Shell) number() (uint32, error) {
	var b [4]byte
	if _, err := io.ReadFull(s.out, b[:]); err != nil {
		return 0, fmt.Errorf("it ended in the midst of a call: %w", err)
	}
	return binary.BigEndian.Uint32(b[:]), nil
}

func (s *Shell) text() (string, error) {
	size, err := s.number()
	if err != nil {
		return "", err
	}
	if size > mostOutput {
		return "", fmt.Errorf("an output of %d bytes is more than the %d that are read", size, mostOutput)
	}
	text := make([]byte, size)
	if _, err := io.ReadFull(s.out, text); err != nil {
		return "", fmt.Errorf("it ended in the midst of an answer: %w", err)
	}
	return string(text), nil
}

// end ends the JVM, if one runs; the next call starts another. The caller holds mu.
func (s *Shell) end() error {
	if s.cmd == nil {
		return nil
	}
	cmd := s.cmd
	s.cmd = nil
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("end the JVM of the tools: %w", err)
	}
	_ = cmd.Wait() // it was killed
	return nil
}

// Close ends the JVM.
func (s *Shell) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.end()
}
