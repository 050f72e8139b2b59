package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"ottla/test/oracle/apache"
)

// client is one program under test.
type client struct {
	name      string
	scenarios []string // what it must report
	command   func(ctx context.Context, cache string) (command, error)
}

// command is how a client is run; the broker's address and the topic prefix
// are appended to args.
type command struct {
	path string
	args []string
	dir  string
	id   string // makes topic names new at every run
}

// whole is what a client that produces and consumes has to show. The scenarios
// are described in content.go.
var whole = []string{
	"create", "codec-none", "codec-gzip", "codec-snappy", "codec-lz4", "codec-zstd",
	"idempotent", "time", "large", "huge", "restart",
}

// The versions of the clients. Java's are those of org.apache.kafka:kafka-clients:
// today's, and the last of the line that still spoke to brokers of before.
var (
	pythonPackages = []string{"confluent-kafka==2.16.1", "kafka-python==3.0.12", "python-snappy==0.7.3", "lz4==4.4.5", "zstandard==0.25.0"}
	nodePackages   = []string{"kafkajs@2.2.4", "kafkajs-snappy@1.1.0", "lz4-napi@2.10.0", "zstd-codec@0.1.5"}
	javaClients    = []string{"4.4.0", "4.1.0", "3.9.1"}
)

var clients = append([]client{
	{"go", whole, self("go")},
	{"confluent", whole, python("confluent.py")},
	{"kafka-python", whole, python("kpython.py")},
	{"kafkajs", slices.Concat(whole[:7], []string{"large", "restart"}), node("kafkajs.js")},
	{"tools", []string{"create", "console", "perf", "restart"}, self("tools")},
}, javas()...)

// javas has a client for each version of the Java library.
func javas() []client {
	var out []client
	for _, v := range javaClients {
		out = append(out, client{"java-" + v, whole, java(v)})
	}
	return out
}

func clientNames() string {
	var names []string
	for _, c := range clients {
		names = append(names, c.name)
	}
	return strings.Join(names, ",")
}

// choose gives the clients named in only; "java" means every version.
func choose(only string) ([]client, error) {
	if only == "" {
		return clients, nil
	}
	var out []client
	for name := range strings.SplitSeq(only, ",") {
		found := false
		for _, c := range clients {
			if c.name == name || strings.HasPrefix(c.name, name+"-") && name == "java" {
				out, found = append(out, c), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no client %q; there are %s", name, clientNames())
		}
	}
	return out, nil
}

func newID() string { return strconv.FormatInt(time.Now().UnixNano()%1e9, 36) }

// self runs a client that is written in Go: this program again.
func self(name string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, _ string) (command, error) {
		if name == "tools" { // installed now, so that it does not count as the client's time
			if _, err := apache.Tools(ctx); err != nil {
				return command{}, err
			}
		}
		exe, err := os.Executable()
		if err != nil {
			return command{}, fmt.Errorf("find this program: %w", err)
		}
		return command{path: exe, args: []string{"client-" + name}, id: newID()}, nil
	}
}

// runClient is the other end of self.
func runClient(ctx context.Context, name, addr, prefix string) error {
	switch name {
	case "go":
		return runFranz(ctx, addr, prefix)
	case "tools":
		return runConsole(ctx, addr, prefix)
	}
	return fmt.Errorf("no client is written in Go under the name %q", name)
}
