package function

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"

	"ottla/internal/event/outbound"
)

// kept is a program that takes many events.
type kept struct {
	cmd  *exec.Cmd
	stop context.CancelFunc
	in   io.WriteCloser
	out  *bufio.Reader
}

// start starts one.
func (f *one) start() (*kept, error) {
	ctx, stop := context.WithCancel(context.Background())
	k := &kept{cmd: f.command(ctx), stop: stop}
	in, err := k.cmd.StdinPipe()
	if err == nil {
		k.in = in
		var out io.ReadCloser
		if out, err = k.cmd.StdoutPipe(); err == nil {
			k.out = bufio.NewReaderSize(out, mostAnswer)
			err = k.cmd.Start()
		}
	}
	if err != nil {
		stop()
		return nil, fmt.Errorf("function %s does not start: %w", f.Name, err)
	}
	return k, nil
}

// end ends it and waits.
func (k *kept) end() {
	_ = k.in.Close()
	k.stop()
	_ = k.cmd.Wait() // that it was ended is known
}

// ask has a kept program take an event. One that did not do as it is to is ended.
func (f *one) ask(ctx context.Context, event []byte) outbound.Answer {
	var k *kept
	select {
	case k = <-f.kept:
	default:
		var err error
		if k, err = f.start(); err != nil {
			return outbound.Answer{Err: err}
		}
	}
	type said struct {
		line []byte
		err  error
	}
	answer := make(chan said, 1)
	go func() {
		line, err := k.exchange(event)
		answer <- said{line, err}
	}()
	select {
	case got := <-answer:
		if got.err == nil {
			f.kept <- k // it has a place for each call
			return answerOf(f.Name, got.line)
		}
		k.end()
		return outbound.Answer{Err: fmt.Errorf("function %s ended, or does not answer a line for a line: %w", f.Name, got.err)}
	case <-ctx.Done():
		k.end() // the exchange ends with it
		<-answer
		return outbound.Answer{Err: fmt.Errorf("function %s did not answer in time: %w", f.Name, ctx.Err())}
	}
}

// exchange writes an event and reads the answer, a line each.
func (k *kept) exchange(event []byte) ([]byte, error) {
	line := &bytes.Buffer{}
	if err := json.Compact(line, event); err != nil { // it is a text
		line.Reset()
		text, err := json.Marshal(string(event))
		if err != nil {
			return nil, err
		}
		line.Write(text)
	}
	line.WriteByte('\n')
	if _, err := k.in.Write(line.Bytes()); err != nil {
		return nil, err
	}
	got, err := k.out.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil, fmt.Errorf("its answer has more than %d bytes", mostAnswer)
	}
	return bytes.Clone(got), err
}

// answerOf reads a line.
func answerOf(called string, line []byte) outbound.Answer {
	line = bytes.TrimSpace(line)
	if !json.Valid(line) {
		return outbound.Answer{Err: fmt.Errorf("function %s did not answer with JSON: %.100q", called, line)}
	}
	var said struct {
		Message *string `json:"errorMessage"`
	}
	if json.Unmarshal(line, &said) == nil && said.Message != nil {
		return outbound.Answer{Err: fmt.Errorf("function %s failed: %s", called, reason(line))}
	}
	return outbound.Answer{Status: http.StatusOK, Body: line}
}
