// Command oracle runs the real Apache Kafka beside Ottla, to ask it what the
// right answer is.
//
//	go run ./test/oracle install                   fetch broker and tools (java 17 and mvn are needed)
//	go run ./test/oracle start DIR [key=value ...] run one node until Ctrl-C; prints its address
//	go run ./test/oracle start3 DIR [key=value ...] three nodes; prints their addresses
//	go run ./test/oracle tool NAME args...         one of Kafka's commands, e.g. kafka-topics
//	go run ./test/oracle names                     the commands that tool knows
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"ottla/test/oracle/apache"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("want install, start, start3, tool or names")
	}
	switch args[0] {
	case "install":
		return install(ctx)
	case "names":
		fmt.Println(strings.Join(apache.Names(), "\n"))
		return nil
	case "start":
		return start(ctx, 1, args[1:])
	case "start3":
		return start(ctx, 3, args[1:])
	case "tool":
		return tool(ctx, args[1:])
	}
	return fmt.Errorf("%q is none of install, start, start3, tool, names", args[0])
}

func install(ctx context.Context) error {
	b, err := apache.Broker(ctx)
	if err != nil {
		return err
	}
	t, err := apache.Tools(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("broker %s\ntools %s\n", b.Version, t.Version)
	return nil
}

func start(ctx context.Context, nodes int, args []string) error {
	if len(args) == 0 {
		return errors.New("start wants a directory")
	}
	settings := map[string]string{}
	for _, kv := range args[1:] {
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return fmt.Errorf("%q is not KEY=VALUE", kv)
		}
		settings[k] = v
	}
	dir, err := filepath.Abs(args[0])
	if err != nil {
		return err
	}
	if nodes > 1 {
		c, err := apache.StartSeveral(ctx, dir, nodes, settings)
		if err != nil {
			return err
		}
		fmt.Println(strings.Join(c.Addrs(), ","))
		<-ctx.Done()
		return c.Stop()
	}
	n, err := apache.Start(ctx, dir, settings)
	if err != nil {
		return err
	}
	fmt.Println(n.Addr)
	<-ctx.Done()
	return n.Stop()
}

func tool(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("tool wants a name; see names")
	}
	d, err := apache.Tools(ctx)
	if err != nil {
		return err
	}
	cmd, err := d.Command(ctx, args[0], args[1:]...)
	if err != nil {
		return err
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			os.Exit(exit.ExitCode())
		}
		return err
	}
	return nil
}
