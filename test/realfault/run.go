package realfault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Impossible says why a test cannot be run on this machine.
type Impossible struct{ Reason string }

// Error says that it is not possible here, and why.
func (e *Impossible) Error() string { return "not possible here: " + e.Reason }

// ExitImpossible is the exit status of a program that the machine does not
// allow to run.
const ExitImpossible = 77

// Main runs a program of this kind and ends the process: 0 when all is well, 1
// when something is wrong, 77 when it is not possible here.
func Main(name string, run func(ctx context.Context) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	var no *Impossible
	switch {
	case errors.As(err, &no):
		fmt.Println(name+":", no)
		os.Exit(ExitImpossible)
	case err != nil:
		fmt.Fprintln(os.Stderr, name+":", err)
		os.Exit(1)
	}
}

// WorkDir returns dir, or a new temporary directory when dir is empty. clean
// removes a temporary one.
func WorkDir(dir, name string) (path string, clean func() error, err error) {
	if dir != "" {
		return dir, func() error { return nil }, os.MkdirAll(dir, 0o755)
	}
	path, err = os.MkdirTemp("", "ottla-"+name+"-")
	return path, func() error { return os.RemoveAll(path) }, err
}

// Pause waits, or returns ctx's error when it ends first.
func Pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
