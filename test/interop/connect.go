package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/test/interop/crowd"
	"ottla/test/oracle/apache"
)

// workerWithin bounds every wait for a worker of Connect: it is a JVM that reads
// some hundred jars first, on a machine that may do much else.
const workerWithin = 4 * time.Minute

// connect runs a worker of Kafka Connect that copies a file into a topic, and
// the topic into another file.
type connect struct {
	prefix, dir string
	admin       *kadm.Client
	worker      *worker
	lines       int
}

// runConnect is the client program for Kafka Connect.
func runConnect(ctx context.Context, addr, prefix string) error {
	tools, err := apache.Tools(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "interop-connect-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cl, err := dial(addr)
	if err != nil {
		return err
	}
	defer cl.Close()
	c := &connect{prefix: prefix, dir: dir, admin: kadm.NewClient(cl)}
	if c.worker, err = standalone(tools, dir, addr, c.connectors()); err != nil {
		return err
	}
	fmt.Println("VERSION kafka-connect", tools.Version)
	crowd.Tell("connect-copy", c.copy(ctx))
	crowd.Tell("connect-stop", c.stop(ctx))
	crowd.Tell("connect-restart", c.restart(ctx))
	return c.worker.stop()
}

func (c *connect) topic() string     { return c.prefix + "-lines" }
func (c *connect) from() string      { return filepath.Join(c.dir, "in.txt") }
func (c *connect) into() string      { return filepath.Join(c.dir, "out.txt") }
func (c *connect) sinkGroup() string { return "connect-" + c.prefix + "-sink" }

// connectors are a source and a sink.
func (c *connect) connectors() []connector {
	const files = "org.apache.kafka.connect.file.FileStream"
	return []connector{
		{"name": c.prefix + "-source", "connector.class": files + "SourceConnector", "tasks.max": "1", "file": c.from(), "topic": c.topic()},
		{"name": c.prefix + "-sink", "connector.class": files + "SinkConnector", "tasks.max": "1", "file": c.into(), "topics": c.topic()},
	}
}

// write appends n lines to the source's file.
func (c *connect) write(n int) error {
	var b strings.Builder
	for range n {
		fmt.Fprintf(&b, "line %d\n", c.lines)
		c.lines++
	}
	f, err := os.OpenFile(c.from(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	if _, err := f.WriteString(b.String()); err != nil {
		return err
	}
	return f.Close()
}

// arrived waits until the sink's file has each line: once and in order where
// nothing broke, else at least once, for the first time in order.
func (c *connect) arrived(exact bool) error {
	var want []string
	for i := range c.lines {
		want = append(want, fmt.Sprintf("line %d", i))
	}
	return until(fmt.Sprintf("%d lines", c.lines), func() (bool, error) {
		text, err := os.ReadFile(c.into())
		if err != nil && !os.IsNotExist(err) {
			return false, err
		}
		whole := text[:bytes.LastIndexByte(text, '\n')+1] // the last may be half written
		got, seen := []string{}, map[string]bool{}
		for line := range strings.Lines(string(whole)) {
			line = strings.TrimSuffix(line, "\n")
			if exact || !seen[line] {
				got, seen[line] = append(got, line), true
			}
		}
		if n := min(len(got), len(want)); !slices.Equal(got[:n], want[:n]) || len(got) > len(want) {
			return false, fmt.Errorf("the sink's file is not the source's: %d lines, the last %q", len(got), got[len(got)-1])
		}
		return len(got) == len(want), nil
	})
}

// until asks again and again.
func until(what string, done func() (bool, error)) error {
	for end := time.Now().Add(workerWithin); ; time.Sleep(50 * time.Millisecond) {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s did not come within %v", what, workerWithin)
		}
	}
}

func (c *connect) copy(ctx context.Context) error {
	r, err := c.admin.CreateTopic(ctx, 1, int16(crowd.Replicas()), nil, c.topic()) // one partition, so that lines keep their order
	if err == nil {
		err = r.Err
	}
	if err != nil {
		return fmt.Errorf("create the topic: %w", err)
	}
	if err := c.write(300); err != nil {
		return err
	}
	if err := c.worker.start(ctx); err != nil {
		return err
	}
	if err := c.arrived(true); err != nil {
		return err
	}
	if err := c.write(300); err != nil {
		return err
	}
	if err := c.arrived(true); err != nil {
		return err
	}
	all, err := c.admin.DescribeGroups(ctx, c.sinkGroup())
	if err != nil {
		return fmt.Errorf("describe the sink's group: %w", err)
	}
	if g := all[c.sinkGroup()]; g.State != "Stable" || len(g.Members) != 1 {
		return fmt.Errorf("the sink's group is %s with %d members, want Stable with one", g.State, len(g.Members))
	}
	return nil
}

// stop ends the worker cleanly; the next one goes on where it was, on either
// side.
func (c *connect) stop(ctx context.Context) error {
	if err := c.worker.stop(); err != nil {
		return err
	}
	got, err := c.admin.FetchOffsets(ctx, c.sinkGroup())
	if err != nil {
		return fmt.Errorf("read the sink's committed offsets: %w", err)
	}
	if o, ok := got.Lookup(c.topic(), 0); !ok || o.At != int64(c.lines) {
		return fmt.Errorf("the sink has committed %d, want %d", o.At, c.lines)
	}
	if err := c.write(300); err != nil {
		return err
	}
	if err := c.worker.start(ctx); err != nil {
		return err
	}
	return c.arrived(true)
}

func (c *connect) restart(context.Context) error {
	back := crowd.AskRestart()
	for done := false; !done; {
		if err := c.write(5); err != nil {
			return err
		}
		select {
		case <-back:
			done = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	if err := c.write(300); err != nil {
		return err
	}
	return c.arrived(false)
}

// connector is the settings of one; "name" is among them.
type connector map[string]string

// worker is a process of Connect, started again and again on the same folder.
type worker struct {
	rest       string // host:port of its REST interface
	command    func(ctx context.Context) (*exec.Cmd, error)
	connectors []connector
	log        lastBytes
	cmd        *exec.Cmd
	ended      chan error
}

// standalone is a worker that is given its connectors by files in dir.
func standalone(tools *apache.Distribution, dir, addr string, connectors []connector) (*worker, error) {
	w, err := newWorker(connectors)
	if err != nil {
		return nil, err
	}
	args := []string{filepath.Join(dir, "worker.properties")}
	settings := w.settings(addr)
	settings["offset.storage.file.filename"] = filepath.Join(dir, "offsets")
	if err := properties(args[0], settings); err != nil {
		return nil, err
	}
	for _, c := range connectors {
		name := filepath.Join(dir, c["name"]+".properties")
		if err := properties(name, c); err != nil {
			return nil, err
		}
		args = append(args, name)
	}
	w.command = func(ctx context.Context) (*exec.Cmd, error) { return tools.Command(ctx, "connect-standalone", args...) }
	return w, nil
}

// newWorker finds an address for its REST interface.
func newWorker(connectors []connector) (*worker, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a port for Connect: %w", err)
	}
	return &worker{rest: l.Addr().String(), connectors: connectors}, l.Close()
}

// settings are those that any worker needs.
func (w *worker) settings(addr string) map[string]string {
	const text = "org.apache.kafka.connect.storage.StringConverter"
	return map[string]string{
		"bootstrap.servers": addr, "listeners": "http://" + w.rest, "key.converter": text, "value.converter": text,
		"offset.flush.interval.ms": "500", "plugin.discovery": "service_load",
	}
}

// properties writes a file of Java's kind.
func properties(name string, all map[string]string) error {
	var lines []string
	for k, v := range all {
		lines = append(lines, k+"="+v+"\n")
	}
	slices.Sort(lines)
	return os.WriteFile(name, []byte(strings.Join(lines, "")), 0o644)
}

// start starts the process and waits until all connectors and their tasks run.
func (w *worker) start(ctx context.Context) error {
	cmd, err := w.command(ctx)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = &w.log, &w.log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start Connect: %w", err)
	}
	w.cmd, w.ended = cmd, make(chan error, 1)
	go func() { w.ended <- cmd.Wait() }()
	return until("a running worker of Connect", func() (bool, error) {
		select {
		case err := <-w.ended:
			return false, fmt.Errorf("the worker of Connect ended (%v): %s", err, oneLine(w.log.String()))
		default:
		}
		for _, c := range w.connectors {
			if !w.runs(ctx, c["name"]) {
				return false, nil
			}
		}
		return true, nil
	})
}

// runs asks whether a connector and its task run.
func (w *worker) runs(ctx context.Context, name string) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.rest+"/connectors/"+name+"/status", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer func() { _ = resp.Body.Close() }() // only read
	type state struct{ State string }
	var status struct {
		Connector state
		Tasks     []state
	}
	if err := json.NewDecoder(resp.Body).Decode(&status); err != nil {
		return false
	}
	return status.Connector.State == "RUNNING" && len(status.Tasks) > 0 &&
		!slices.ContainsFunc(status.Tasks, func(s state) bool { return s.State != "RUNNING" })
}

// stop ends the process cleanly; none may be running.
func (w *worker) stop() error {
	if w.cmd == nil {
		return nil
	}
	cmd := w.cmd
	w.cmd = nil
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop Connect: %w", err)
	}
	select {
	case <-w.ended: // 143, as the signal asked
		return nil
	case <-time.After(workerWithin):
		_ = cmd.Process.Kill()
		return fmt.Errorf("the worker of Connect did not end within %v", workerWithin)
	}
}
