package ask

import (
	"bufio"
	"context"
	"fmt"
	"strings"
	"time"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/out"
)

// Pause waits, or ends with ctx.
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

// Paragraph prints lines below a head.
func (o *Options) Paragraph(head string, lines []string) {
	fmt.Fprintf(o.Out, "%s\n", head)
	for _, l := range lines {
		fmt.Fprintf(o.Out, "  %s\n", l)
	}
}

// PrintPartly prints what worked and reports the first failure; the exit code
// says "partly" when both are there.
func (o *Options) PrintPartly(t *out.Table, failures []error) error {
	if len(t.Rows) > 0 {
		if err := o.Print(t); err != nil {
			return err
		}
	}
	if len(failures) == 0 {
		return nil
	}
	for _, f := range failures[1:] {
		fail.Print(o.Err, f, o.Machine())
	}
	if len(t.Rows) > 0 {
		fail.Print(o.Err, failures[0], o.Machine())
		return Silent(fail.Partly)
	}
	return failures[0]
}

// Agreed shows what would be aborted where only that is wanted, or where a
// person can be asked, and asks. Elsewhere it is done.
func (o *Options) Agreed(dryRun, yes bool, question string, show func(result string) *out.Table) (bool, error) {
	const would = "would be aborted"
	if dryRun {
		return false, o.Print(show(would))
	}
	if yes || o.Format != "table" || !Terminal(o.In) || !Terminal(o.Out) {
		return true, nil
	}
	if err := o.Print(show(would)); err != nil {
		return false, err
	}
	fmt.Fprintf(o.Out, "%s [y/N] ", question)
	answer, err := bufio.NewReader(o.In).ReadString('\n')
	if err != nil {
		return false, fmt.Errorf("read the answer: %w", err)
	}
	return strings.EqualFold(strings.TrimSpace(answer), "y"), nil
}
