package main

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"ottla/test/oracle/apache"
	"ottla/test/packages"
)

// programs are the clients' sources: what runs is what this binary was built
// with, wherever it is started.
//
//go:embed python/*.py node/*.js java/*.java rust/* rdkafka/*
var programs embed.FS

// unpack writes the sources of one language into a folder that is named after
// them: a client that runs, here or in another run, never sees them change.
func unpack(language, cache string) (string, error) {
	files, err := fs.Glob(programs, language+"/*")
	if err != nil {
		return "", err
	}
	texts := map[string][]byte{}
	var what []string
	for _, name := range files {
		if texts[name], err = programs.ReadFile(name); err != nil {
			return "", err
		}
		what = append(what, name, string(texts[name]))
	}
	return once(cache, "programs-"+language, what, func(dir string) error {
		for _, name := range files {
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), texts[name], 0o644); err != nil {
				return err
			}
		}
		return nil
	})
}

// once and do are how packages are installed.
var (
	once = packages.Once
	do   = packages.Run
)

// python runs a program with the packages of Kafka's clients.
func python(program string) func(context.Context, string) (command, error) {
	return pythonWith(pythonPackages, program)
}

// pythonWith runs a program with packages on its path.
func pythonWith(names []string, program string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		site, err := packages.Python(ctx, cache, names)
		if err != nil {
			return command{}, err
		}
		dir, err := unpack("python", cache)
		if err != nil {
			return command{}, err
		}
		return command{path: "env", args: []string{"PYTHONPATH=" + site, "PYTHONUNBUFFERED=1", "python3", program}, dir: dir, id: newID()}, nil
	}
}

// node runs a program with the packages of Kafka's clients.
func node(program string) func(context.Context, string) (command, error) {
	return nodeWith(nodePackages, program)
}

// nodeWith runs a program beside the packages' node_modules.
func nodeWith(names []string, program string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		modules, err := packages.Node(ctx, cache, names)
		if err != nil {
			return command{}, err
		}
		dir, err := unpack("node", cache)
		if err != nil {
			return command{}, err
		}
		return command{path: "env", args: []string{"NODE_PATH=" + modules, "KAFKAJS_NO_PARTITIONER_WARNING=1", "node", program}, dir: dir, id: newID()}, nil
	}
}

// builtNode is node with packages that compile what they hold for this machine:
// their install scripts run, and must not bring binaries from elsewhere.
func builtNode(program string, packages []string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		home, err := once(cache, "node", packages, func(dir string) error {
			if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"name":"interop","private":true}`), 0o644); err != nil {
				return err
			}
			// Linked dynamically it takes the machine's own zlib, OpenSSL and, where
			// its headers are there, zstd; statically it would bring their sources.
			args := []string{"npm_config_build_from_source=true", "CKJS_LINKING=dynamic", "npm", "install", "--no-audit", "--no-fund"}
			if _, err := os.Stat("/usr/include/node/node.h"); err == nil { // else node-gyp brings the headers
				args = slices.Insert(args, 0, "npm_config_nodedir=/usr")
			}
			return do(ctx, dir, "env", append(args, packages...)...)
		})
		if err != nil {
			return command{}, err
		}
		dir, err := unpack("node", cache)
		if err != nil {
			return command{}, err
		}
		return command{path: "env", args: []string{"NODE_PATH=" + filepath.Join(home, "node_modules"), "node", program}, dir: dir, id: newID()}, nil
	}
}

// streams compiles and runs our application of Kafka Streams with the library
// that comes with Kafka's tools; settings are NAME=VALUE.
func streams(settings ...string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		tools, err := apache.Tools(ctx)
		if err != nil {
			return command{}, err
		}
		dir, err := unpack("java", cache)
		if err != nil {
			return command{}, err
		}
		classes, err := compile(ctx, cache, dir, tools.ClassPath(), "Streams")
		if err != nil {
			return command{}, err
		}
		args := []string{"-Xmx512M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=WARN",
			"-cp", classes + string(filepath.ListSeparator) + tools.ClassPath(), "Streams"}
		return command{path: "java", args: append(args, settings...), dir: dir, id: newID()}, nil
	}
}

// compile compiles a program of ours in Java, with the parts that all have, into a
// folder that no other version of it gets.
func compile(ctx context.Context, cache, dir, libs, program string) (string, error) {
	sources := []string{"Interop.java", "Groups.java", "Transactions.java"}
	if main := program + ".java"; !slices.Contains(sources, main) {
		sources = append(sources, main)
	}
	return once(cache, "classes", []string{dir, libs, program}, func(classes string) error {
		return do(ctx, dir, "javac", append([]string{"-nowarn", "-proc:none", "-cp", libs, "-d", classes}, sources...)...)
	})
}

// java compiles and runs a program of ours with the client library of a version. Without
// a logging backend the library is silent, but for one line on standard error.
func java(version, program string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		jars, err := packages.Maven(ctx, cache, []string{"org.apache.kafka:kafka-clients:" + version})
		if err != nil {
			return command{}, err
		}
		dir, err := unpack("java", cache)
		if err != nil {
			return command{}, err
		}
		libs := filepath.Join(jars, "*")
		classes, err := compile(ctx, cache, dir, libs, program)
		if err != nil {
			return command{}, err
		}
		return command{path: "java", args: []string{"-Xmx512M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
			"-cp", classes + string(filepath.ListSeparator) + libs, program}, dir: dir, id: newID()}, nil
	}
}

// awsJava compiles and runs our program for the AWS SDK for Java 2.
func awsJava(ctx context.Context, cache string) (command, error) {
	var needed []string
	for _, artifact := range []string{"sqs", "scheduler", "sts", "eventbridge", "sns", "url-connection-client"} {
		needed = append(needed, "software.amazon.awssdk:"+artifact+":"+awsJavaVersion)
	}
	jars, err := packages.Maven(ctx, cache, needed)
	if err != nil {
		return command{}, err
	}
	dir, err := unpack("java", cache)
	if err != nil {
		return command{}, err
	}
	libs, classes := filepath.Join(jars, "*"), filepath.Join(filepath.Dir(jars), "classes")
	if err := do(ctx, dir, "javac", "-nowarn", "-proc:none", "-encoding", "UTF-8", "-cp", libs, "-d", classes, "Aws.java"); err != nil {
		return command{}, err
	}
	return command{path: "java", args: []string{"-Xmx256M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-cp", classes + string(filepath.ListSeparator) + libs, "Aws"}, dir: dir, id: newID()}, nil
}

// module builds a program that is a Go module of its own, in a folder here, and
// runs it as a client. The source tree is needed: what is of another module
// cannot be embedded.
func module(folder, name string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		where, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "ottla/test/interop").Output()
		if err != nil {
			return command{}, fmt.Errorf("find the source tree: %w", err)
		}
		program := filepath.Join(cache, folder)
		if err := do(ctx, filepath.Join(strings.TrimSpace(string(where)), folder), "go", "build", "-mod=mod", "-o", program, "."); err != nil {
			return command{}, err
		}
		return command{path: program, args: []string{name}, id: newID()}, nil
	}
}

// rust builds a program of ours, which has a folder here, with cargo, which
// keeps what it built.
func rust(folder, program string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, cache string) (command, error) {
		dir, err := unpack(folder, cache)
		if err != nil {
			return command{}, err
		}
		target := filepath.Join(cache, "rust-target")
		if err := do(ctx, dir, "cargo", "build", "--release", "--locked", "--quiet", "--target-dir", target); err != nil {
			return command{}, err
		}
		return command{path: filepath.Join(target, "release", program), id: newID()}, nil
	}
}
