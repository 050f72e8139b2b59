package function

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"ottla/internal/event/outbound"
)

const (
	// mostAnswer bounds what is kept of a program's answer.
	mostAnswer = 256 << 10
	// endDelay is how long a program's pipes may stay open after it was ended:
	// programs that it started may have them.
	endDelay = time.Second
)

// command prepares a program.
func (f *one) command(ctx context.Context) *exec.Cmd {
	c := exec.CommandContext(ctx, f.Command[0], f.Command[1:]...)
	c.Dir, c.WaitDelay = f.Dir, endDelay
	c.Env = []string{}
	for _, k := range []string{"PATH", "HOME", "TMPDIR", "SYSTEMROOT"} {
		if v, ok := os.LookupEnv(k); ok {
			c.Env = append(c.Env, k+"="+v)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(f.Env)) {
		c.Env = append(c.Env, k+"="+f.Env[k])
	}
	return c
}

// run runs a program for one event.
func (f *one) run(ctx context.Context, event []byte) outbound.Answer {
	c := f.command(ctx)
	out, errs := &bounded{most: mostAnswer}, &bounded{most: mostReason}
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(event), out, errs
	err := c.Run()
	switch {
	case ctx.Err() != nil:
		return outbound.Answer{Err: fmt.Errorf("function %s did not end in time: %w", f.Name, ctx.Err())}
	case err != nil:
		return outbound.Answer{Err: fmt.Errorf("function %s failed: %w: %s", f.Name, err, strings.TrimSpace(errs.String()))}
	}
	return outbound.Answer{Status: http.StatusOK, Body: out.Bytes()}
}

// bounded keeps the beginning of what is written, and takes the rest.
type bounded struct {
	bytes.Buffer
	most int
}

// Write implements io.Writer.
func (b *bounded) Write(p []byte) (int, error) {
	if room := b.most - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(len(p), room)])
	}
	return len(p), nil
}
