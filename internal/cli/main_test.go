package cli

import (
	"context"
	"os"
	"os/signal"
	"testing"
)

// asProgram has this test binary be the program: what `ottla dev --nodes` starts
// are processes of its own executable. (A name with OTTLA_ would be a setting.)
const asProgram = "TEST_BINARY_IS_OTTLA"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "" {
		os.Exit(m.Run())
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
