package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ottla/test/packages"
	"ottla/test/realfault"
)

// pythonPackages are what the example's Python and the AWS CLI are.
var pythonPackages = []string{"boto3==1.43.11", "awscli==1.45.11"}

// client is one of the programs of the example.
type client struct {
	name    string
	prepare func(ctx context.Context) (program, error)
}

var clients = []client{{"boto3", python}, {"aws-cli", shell}, {"aws-go", golang}}

// program is how a client is run in the example's folder.
type program struct {
	folder string
	argv   []string
	env    []string
}

// within bounds a part of the example.
const within = 10 * time.Minute

// run runs a part at a node; what it says is said here.
func (p program) run(ctx context.Context, part, node, receiver string) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	cmd := exec.CommandContext(ctx, p.argv[0], append(p.argv[1:len(p.argv):len(p.argv)], part)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.folder, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "AWS_ENDPOINT_URL=http://"+node, "AWS_REGION=us-east-1", "AWS_DEFAULT_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=any", "AWS_SECRET_ACCESS_KEY=any", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
		"ORDERS_RECEIVER="+receiver, "PYTHONUNBUFFERED=1", "PYTHONDONTWRITEBYTECODE=1")
	cmd.Env = append(cmd.Env, p.env...)
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", part, err)
	}
	return nil
}

// folder is where the example is.
func folder(ctx context.Context) (string, error) {
	where, err := exec.CommandContext(ctx, "go", "list", "-f", "{{.Dir}}", "ottla/test/orders").Output()
	if err != nil {
		return "", fmt.Errorf("find the source tree: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(where)), "..", "..", "examples", "aws-orders"), nil
}

// site is where Python's packages are.
func site(ctx context.Context) (cache, site string, err error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", "", fmt.Errorf("find the folder for what is installed: %w", err)
	}
	cache = filepath.Join(base, "ottla-interop")
	site, err = packages.Python(ctx, cache, pythonPackages)
	return cache, site, err
}

func python(ctx context.Context) (program, error) {
	dir, err := folder(ctx)
	if err != nil {
		return program{}, err
	}
	_, site, err := site(ctx)
	return program{dir, []string{"python3", "orders.py"}, []string{"PYTHONPATH=" + site}}, err
}

// shell is the AWS CLI: it is a module of Python's, for which there is a command.
func shell(ctx context.Context) (program, error) {
	dir, err := folder(ctx)
	if err != nil {
		return program{}, err
	}
	cache, site, err := site(ctx)
	if err != nil {
		return program{}, err
	}
	bin := filepath.Join(cache, "orders-bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return program{}, err
	}
	command := "#!/bin/sh\nPYTHONPATH='" + site + "' exec python3 -m awscli \"$@\"\n"
	if err := os.WriteFile(filepath.Join(bin, "aws"), []byte(command), 0o755); err != nil {
		return program{}, err
	}
	return program{dir, []string{"bash", "orders.sh"}, []string{"PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH")}}, nil
}

// golang is a module of its own.
func golang(ctx context.Context) (program, error) {
	dir, err := folder(ctx)
	if err != nil {
		return program{}, err
	}
	out := filepath.Join(os.TempDir(), "ottla-aws-orders-"+strconv.Itoa(os.Getpid()))
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, ".")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	if said, err := cmd.CombinedOutput(); err != nil {
		return program{}, fmt.Errorf("build the example in Go: %w: %s", err, said)
	}
	return program{dir, []string{out}, nil}, nil
}

// receiver is the addresses that the example has called.
type receiver struct {
	addr string
	cmd  *exec.Cmd
}

// startReceiver has a receiver run that knows of no calls yet.
func startReceiver(ctx context.Context, folder string) (*receiver, error) {
	ports, err := realfault.FreePorts(1)
	if err != nil {
		return nil, err
	}
	r := &receiver{addr: "127.0.0.1:" + strconv.Itoa(ports[0])}
	r.cmd = exec.CommandContext(ctx, "python3", "receiver.py")
	r.cmd.Dir, r.cmd.Stderr = folder, os.Stderr
	r.cmd.Env = append(os.Environ(), "ORDERS_RECEIVER="+r.addr, "PYTHONDONTWRITEBYTECODE=1")
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the receiver: %w", err)
	}
	for until := time.Now().Add(time.Minute); ; {
		resp, err := http.Get("http://" + r.addr + "/")
		if err == nil {
			resp.Body.Close()
			return r, nil
		}
		if time.Now().After(until) {
			r.stop()
			return nil, fmt.Errorf("the receiver does not answer: %w", err)
		}
		if err := realfault.Pause(ctx, 50*time.Millisecond); err != nil {
			r.stop()
			return nil, err
		}
	}
}

func (r *receiver) stop() {
	_ = r.cmd.Process.Kill() // it has nothing to lose
	_ = r.cmd.Wait()
}
