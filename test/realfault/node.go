package realfault

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// readyWithin ends the wait for a node to say that it serves; how fast it was is
// in Ready.
const readyWithin = 2 * time.Minute

// Binary returns path, or builds cmd/ottla into dir when path is empty.
func Binary(ctx context.Context, path, dir string) (string, error) {
	if path != "" {
		return path, nil
	}
	out := filepath.Join(dir, "ottla")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", out, "ottla/cmd/ottla")
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build cmd/ottla: %w\n%s", err, b)
	}
	return out, nil
}

// Setup says how a node is started, again and again on the same data.
type Setup struct {
	Binary string
	Data   string
	Host   string // 127.0.0.1 when empty
	Port   int
	Set    []string  // more settings, KEY=VALUE
	Flags  []string  // more flags of serve
	Log    io.Writer // standard error of the node
	Wrap   []string  // a command that is put in front and executes the rest in its place
}

// NewSetup finds or builds the binary (into dir) and a free port.
func NewSetup(ctx context.Context, binary, dir, data string, log io.Writer) (Setup, error) {
	s := Setup{Data: data, Log: log}
	var err error
	if s.Binary, err = Binary(ctx, binary, dir); err != nil {
		return s, err
	}
	free, err := FreePorts(1)
	if err != nil {
		return s, err
	}
	s.Port = free[0]
	return s, nil
}

// Address is where the node serves Kafka clients.
func (s Setup) Address() string {
	host := s.Host
	if host == "" {
		host = "127.0.0.1"
	}
	return net.JoinHostPort(host, strconv.Itoa(s.Port))
}

// Node is a running process.
type Node struct {
	cmd *exec.Cmd
	// Ready is how long it took from the start to the ready line.
	Ready  time.Duration
	exited chan struct{}
	err    error // of the process; read after exited
}

// Start runs `ottla serve` and waits for its ready line.
func (s Setup) Start(ctx context.Context) (*Node, error) {
	args := []string{"serve", "--data", s.Data, "--listen", s.Address(), "--http", "off", "--insecure"}
	for _, kv := range append([]string{"auto.create.topics.enable=true"}, s.Set...) {
		args = append(args, "--set", kv)
	}
	line := append(append(append(slices.Clone(s.Wrap), s.Binary), args...), s.Flags...)
	n := &Node{cmd: exec.CommandContext(ctx, line[0], line[1:]...), exited: make(chan struct{})}
	n.cmd.Stderr = s.Log
	out, err := n.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Binary, err)
	}
	began := time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", s.Binary, err)
	}
	ready := make(chan string, 1)
	go n.watch(out, ready)
	select {
	case <-ready:
		n.Ready = time.Since(began)
		return n, nil
	case <-n.exited:
		return nil, fmt.Errorf("%s exited before it was ready: %w", s.Binary, n.err)
	case <-time.After(readyWithin):
		n.Kill()
		return nil, fmt.Errorf("%s was not ready within %v", s.Binary, readyWithin)
	}
}

// watch reads the node's output to its end and then waits for the process.
func (n *Node) watch(out io.Reader, ready chan<- string) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready ") {
			ready <- lines.Text()
			break
		}
	}
	_, _ = io.Copy(io.Discard, out) // until the process ends
	n.err = n.cmd.Wait()
	if n.err == nil {
		n.err = errors.New("exit status 0")
	}
	close(n.exited)
}

// PID is the process's number.
func (n *Node) PID() int { return n.cmd.Process.Pid }

// Kill ends the process with SIGKILL and waits for it.
func (n *Node) Kill() {
	_ = n.cmd.Process.Kill() // it may have ended already
	<-n.exited
}

// Stop asks the process to end and waits, at most so long.
func (n *Node) Stop(within time.Duration) error {
	if err := n.cmd.Process.Signal(os.Interrupt); err != nil {
		return fmt.Errorf("stop the node: %w", err)
	}
	select {
	case <-n.exited:
		return nil
	case <-time.After(within):
		n.Kill()
		return fmt.Errorf("the node did not stop within %v", within)
	}
}

// Exited tells whether the process has ended, and why.
func (n *Node) Exited() (error, bool) {
	select {
	case <-n.exited:
		return n.err, true
	default:
		return nil, false
	}
}
