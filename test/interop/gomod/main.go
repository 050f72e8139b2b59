package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"time"

	"ottla/test/interop/crowd"
)

// modules are the clients by the names of the runner.
var modules = map[string]struct {
	path string
	run  func(addr, prefix string) error
}{
	"sarama":   {"github.com/IBM/sarama", runSarama},
	"kafka-go": {"github.com/segmentio/kafka-go", runSegmentio},
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gomod:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("want a client, the broker's address and a prefix, got %q", args)
	}
	m, found := modules[args[0]]
	if !found {
		return fmt.Errorf("there is no client %q", args[0])
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == m.path {
				fmt.Println("VERSION", args[0], d.Version)
			}
		}
	}
	return m.run(args[1], args[2])
}

// base is the time of record 0.
func base() int64 { return time.Now().UnixMilli() - 3_600_000 }

func numbered(partitions, first, last int) []crowd.Content {
	var out []crowd.Content
	for i := first; i < last; i++ {
		out = append(out, crowd.Content{Value: fmt.Append(nil, i), Partition: i % partitions})
	}
	return out
}
