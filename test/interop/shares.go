package main

import (
	"context"
	"path/filepath"
	"slices"
)

// shared is what a client of share groups (KIP-932) has to show.
var shared = []string{"share", "share-again", "share-restart", "share-admin"}

// shareClients are clients that share records.
func shareClients() []client {
	return []client{{name: "share-java-4.4.0", language: "Java", scenarios: shared, command: javaShares("4.4.0")}}
}

// javaShares runs our Java program of share groups with the library of a
// version.
func javaShares(version string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		c, err := java(version)(ctx, cache)
		if err != nil {
			return c, err
		}
		at := slices.Index(c.args, "-cp")
		classes, libs, _ := cutPath(c.args[at+1])
		own := classes + "-shares"
		if err := do(ctx, c.dir, "javac", "-nowarn", "-proc:none", "-cp", libs, "-d", own, "Interop.java", "Groups.java", "Transactions.java", "Shares.java"); err != nil {
			return command{}, err
		}
		c.args = append(slices.Clone(c.args[:at]), "-cp", own+string(filepath.ListSeparator)+libs, "Shares")
		return c, nil
	}
}
