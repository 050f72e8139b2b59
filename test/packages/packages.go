// Package packages installs what tests run beside ours from PyPI, npm and Maven Central, once a
// machine: by version, into the user's cache. It does not say what is run. A network that
// falls silent holds nobody up for good: each run of an installer has its time.
//
// Main functions: Python, Node, Maven; Once and Run, of which other installs are made.
package packages

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// Once makes the folder that is named after what is in it, by running fill on a
// folder beside it that is then renamed: a broken install is never taken for a
// finished one.
func Once(cache, kind string, what []string, fill func(dir string) error) (string, error) {
	sum := fnv.New32a()
	_, _ = sum.Write([]byte(strings.Join(what, "\n"))) // a hash takes everything
	home := filepath.Join(cache, fmt.Sprintf("%s-%08x", kind, sum.Sum32()))
	if _, err := os.Stat(home); err == nil {
		return home, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(cache, "install-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	if err := fill(tmp); err != nil {
		return "", fmt.Errorf("install %s: %w", strings.Join(what, " "), err)
	}
	if err := os.Rename(tmp, home); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("keep %s: %w", kind, err)
	}
	return home, nil
}

// mostTail is how much an error repeats of an installer's output.
const mostTail = 600

// runWithin bounds one run of an installer, jarsWithin one of the tries to bring jars,
// and drainWithin the wait for who holds an ended installer's output open.
const (
	runWithin   = 10 * time.Minute
	jarsWithin  = 4 * time.Minute
	drainWithin = time.Second
)

// Run runs an installer, for ten minutes at most.
func Run(ctx context.Context, dir, name string, args ...string) error {
	return run(ctx, runWithin, dir, name, args...)
}

func run(ctx context.Context, within time.Duration, dir, name string, args ...string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("it was ended after %v", within))
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.WaitDelay = dir, drainWithin
	if out, err := cmd.CombinedOutput(); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("%w (%w)", cause, err)
		}
		tail := strings.Join(strings.Fields(string(out[max(0, len(out)-mostTail):])), " ")
		return fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, tail)
	}
	return nil
}

// Python installs packages of PyPI into a plain folder, because a virtual
// environment cannot be renamed, and returns what PYTHONPATH must be.
func Python(ctx context.Context, cache string, names []string) (string, error) {
	home, err := Once(cache, "python", names, func(dir string) error {
		if err := Run(ctx, dir, "python3", "-m", "venv", "pip"); err != nil {
			return err
		}
		args := append([]string{"-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", filepath.Join(dir, "site")}, names...)
		return Run(ctx, dir, filepath.Join(dir, "pip", "bin", "python3"), args...)
	})
	return filepath.Join(home, "site"), err
}

// Node installs packages of npm, without running their scripts, and returns what
// NODE_PATH must be.
func Node(ctx context.Context, cache string, names []string) (string, error) {
	home, err := Once(cache, "node", names, func(dir string) error {
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"name":"packages","private":true}`), 0o644); err != nil {
			return err
		}
		return Run(ctx, dir, "npm", append([]string{"install", "--no-audit", "--no-fund", "--ignore-scripts"}, names...)...)
	})
	return filepath.Join(home, "node_modules"), err
}

// Maven installs jars of Maven Central with all that they need to run, each named
// as GROUP:ARTIFACT:VERSION, and returns their folder. It needs mvn.
func Maven(ctx context.Context, cache string, names []string) (string, error) {
	home, err := Once(cache, "maven", names, func(dir string) error {
		var b strings.Builder
		b.WriteString(`<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>` +
			`<groupId>ottla</groupId><artifactId>packages</artifactId><version>1</version><packaging>pom</packaging><dependencies>`)
		for _, name := range names {
			parts := strings.SplitN(name, ":", 3)
			if len(parts) != 3 {
				return fmt.Errorf("%q is not GROUP:ARTIFACT:VERSION", name)
			}
			fmt.Fprintf(&b, "<dependency><groupId>%s</groupId><artifactId>%s</artifactId><version>%s</version></dependency>", parts[0], parts[1], parts[2])
		}
		b.WriteString("</dependencies></project>")
		if err := os.WriteFile(filepath.Join(dir, "pom.xml"), []byte(b.String()), 0o644); err != nil {
			return err
		}
		return jars(ctx, dir)
	})
	return filepath.Join(home, "libs"), err
}

// timesAsked is how often jars are asked for: a network fails now and then, and what has
// come by then is kept.
const timesAsked = 3

// jars brings what dir/pom.xml depends on to run into dir/libs. Maven alone waits half an
// hour for a server that says nothing, so it is told not to (in the words of its old
// transport and of its new one), and each try has four minutes.
func jars(ctx context.Context, dir string) (err error) {
	for range timesAsked {
		err = run(ctx, jarsWithin, dir, "mvn", "-B", "-q",
			"-Dmaven.wagon.rto=60000", "-Daether.connector.requestTimeout=60000",
			"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+filepath.Join(dir, "libs"))
		if err == nil || ctx.Err() != nil {
			break
		}
	}
	return err
}
