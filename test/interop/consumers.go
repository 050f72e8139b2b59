package main

import (
	"context"
	"path/filepath"
	"slices"
)

// served is what a client of the consumer protocol (KIP-848) has to show.
var served = []string{"group", "commit", "static", "group-restart", "group-admin", "regex", "migrate"}

// consumerClients are clients whose partitions the server assigns.
func consumerClients() []client {
	var out []client
	for _, v := range []string{"4.4.0", "4.1.0"} {
		out = append(out, client{name: "consumer-java-" + v, language: "Java", scenarios: served, command: javaConsumers(v)})
	}
	return append(out, client{name: "consumer-confluent", language: "Python", scenarios: served, command: python("consumers.py"),
		limits: "its cooperative assignor leaves data of its own in assignments, so no broker (Kafka neither) turns a live group of it into a consumer group; `migrate` begins with its range assignor"})
}

// javaConsumers runs our other Java program with the library of a version.
func javaConsumers(version string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		c, err := java(version)(ctx, cache)
		if err != nil {
			return c, err
		}
		at := slices.Index(c.args, "-cp")
		classes, libs, _ := cutPath(c.args[at+1])
		own := classes + "-consumers"
		if err := do(ctx, c.dir, "javac", "-nowarn", "-proc:none", "-cp", libs, "-d", own, "Interop.java", "Groups.java", "Transactions.java", "Consumers.java"); err != nil {
			return command{}, err
		}
		c.args = append(slices.Clone(c.args[:at]), "-cp", own+string(filepath.ListSeparator)+libs, "Consumers")
		return c, nil
	}
}

// cutPath parts a class path of two.
func cutPath(path string) (first, rest string, ok bool) {
	list := filepath.SplitList(path)
	if len(list) != 2 {
		return path, "", false
	}
	return list[0], list[1], true
}
