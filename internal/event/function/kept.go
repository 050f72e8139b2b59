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
	said chan said     // what it wrote, line by line; an error is the last
	read chan struct{} // closed when nobody reads from it any more
}

// said is a line that a program wrote.
type said struct {
	line []byte
	err  error
}

// start starts one.
func (f *one) start() (*kept, error) {
	ctx, stop := context.WithCancel(context.Background())
	k := &kept{cmd: f.command(ctx), stop: stop, said: make(chan said, 1), read: make(chan struct{})}
	in, err := k.cmd.StdinPipe()
	if err == nil {
		k.in = in
		var out io.ReadCloser
		if out, err = k.cmd.StdoutPipe(); err == nil {
			if err = k.cmd.Start(); err == nil {
				go k.listen(ctx, bufio.NewReaderSize(out, mostAnswer))
			}
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
	<-k.read
}

// listen reads what a program writes, also when nobody has asked: that is how it is
// noticed.
func (k *kept) listen(ctx context.Context, out *bufio.Reader) {
	defer close(k.read)
	for {
		line, err := out.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = fmt.Errorf("its answer has more than %d bytes", mostAnswer)
		}
		if out.Buffered() > 0 && err == nil {
			err = errBabbles
		}
		select {
		case k.said <- said{bytes.Clone(line), err}:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// errBabbles says that a program wrote more than one line for an event: which answer
// is whose is not known then.
var errBabbles = errors.New("it wrote more than a line for an event")

// silent tells whether nothing was heard of a program that was asked nothing.
func (k *kept) silent() bool {
	select {
	case <-k.said:
		return false
	default:
		return true
	}
}

// idle takes a program that waits for an event. One that has ended meanwhile, or that
// said what nobody has asked, is ended.
func (f *one) idle() *kept {
	for {
		select {
		case k := <-f.kept:
			if k.silent() {
				return k
			}
			k.end()
		default:
			return nil
		}
	}
}

// ask has a kept program take an event. One that did not do as it is to is ended.
func (f *one) ask(ctx context.Context, event []byte) outbound.Answer {
	k := f.idle()
	if k == nil {
		var err error
		if k, err = f.start(); err != nil {
			return outbound.Answer{Err: err}
		}
	}
	wrote := make(chan error, 1)
	go func() { wrote <- k.write(event) }()
	var got said
	select {
	case got = <-k.said:
		if got.err == nil {
			got.err = k.over(ctx, wrote)
		}
	case <-ctx.Done():
		got.err = ctx.Err()
	}
	if got.err == nil {
		f.kept <- k // it has a place for each call
		return answerOf(f.Name, got.line)
	}
	k.end() // what is written to it ends with it
	if ctx.Err() != nil {
		return outbound.Answer{Err: fmt.Errorf("function %s did not answer in time: %w", f.Name, ctx.Err())}
	}
	return outbound.Answer{Err: fmt.Errorf("function %s ended, or does not answer a line for a line: %w", f.Name, got.err)}
}

// over returns when an event was written whole, and has had one answer.
func (k *kept) over(ctx context.Context, wrote <-chan error) error {
	select {
	case err := <-wrote: // it may have answered before it had read all
		if err == nil && !k.silent() {
			return errBabbles
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// write writes an event, as a line.
func (k *kept) write(event []byte) error {
	line := &bytes.Buffer{}
	if err := json.Compact(line, event); err != nil { // it is a text
		line.Reset()
		text, err := json.Marshal(string(event))
		if err != nil {
			return err
		}
		line.Write(text)
	}
	line.WriteByte('\n')
	_, err := k.in.Write(line.Bytes())
	return err
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
