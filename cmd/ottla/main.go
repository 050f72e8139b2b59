// Command ottla is event streaming and event-driven architecture in one
// binary; `ottla --help` lists what it does.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"ottla/internal/cli"
	_ "ottla/internal/cli/relay/table/sqlite" // for `ottla outbox`
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := cli.RunProgram(ctx, os.Args[0], os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
