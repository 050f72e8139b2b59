package apache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"ottla/test/realfault"
)

// startTimeout is long because a JVM on a busy machine is slow to start.
const startTimeout = 6 * time.Minute

// Node is a running Kafka broker (and controller).
type Node struct {
	Dir  string
	Addr string // host:port for clients
	cmd  *exec.Cmd
	done chan struct{} // closed when the process that runs has ended; nil before the first
}

// Start formats dir, when it is new, and runs one combined node on 127.0.0.1.
// settings are broker settings; they win over what one node needs. It returns
// when the node serves.
func Start(ctx context.Context, dir string, settings map[string]string) (*Node, error) {
	d, err := Broker(ctx)
	if err != nil {
		return nil, err
	}
	ports, err := realfault.FreePorts(2)
	if err != nil {
		return nil, err
	}
	alone := map[string]string{
		"offsets.topic.replication.factor": "1", "transaction.state.log.replication.factor": "1",
		"transaction.state.log.min.isr": "1", "share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr": "1",
	}
	maps.Copy(alone, settings)
	n := newNode(dir, ports[0])
	if err := n.prepare(ctx, d, ports, alone, "--standalone"); err != nil {
		return nil, err
	}
	return n, n.run(ctx, d)
}

func newNode(dir string, port int) *Node { return &Node{Dir: dir, Addr: local(port)} }

func local(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// prepare writes the node's settings and formats its directory when it is new;
// voters is what kafka-storage is told of the first voters.
func (n *Node) prepare(ctx context.Context, d *Distribution, ports []int, settings map[string]string, voters ...string) error {
	if err := os.MkdirAll(n.Dir, 0o755); err != nil {
		return err
	}
	if err := n.writeSettings(ports, settings); err != nil {
		return err
	}
	return n.format(ctx, d, voters)
}

// Restart runs a stopped node on the address and data that it had and returns
// when it serves.
func (n *Node) Restart(ctx context.Context) error {
	d, err := Broker(ctx)
	if err != nil {
		return err
	}
	return n.run(ctx, d)
}

func (n *Node) writeSettings(ports []int, settings map[string]string) error {
	all := map[string]string{
		"process.roles": "broker,controller", "node.id": "1",
		"listeners":                           fmt.Sprintf("PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", ports[0], ports[1]),
		"controller.listener.names":           "CONTROLLER",
		"controller.quorum.bootstrap.servers": fmt.Sprintf("127.0.0.1:%d", ports[1]),
		"log.dirs":                            filepath.Join(n.Dir, "data"),
	}
	maps.Copy(all, settings)
	var b strings.Builder
	for k, v := range all {
		fmt.Fprintf(&b, "%s=%s\n", k, v)
	}
	logging := "status=error\nappender.o.type=Console\nappender.o.name=o\nappender.o.layout.type=PatternLayout\n" +
		"appender.o.layout.pattern=[%d] %p %m (%c)%n\nrootLogger.level=INFO\nrootLogger.appenderRef.o.ref=o\n"
	return errors.Join(
		os.WriteFile(n.path("server.properties"), []byte(b.String()), 0o644),
		os.WriteFile(n.path("log4j2.properties"), []byte(logging), 0o644))
}

func (n *Node) path(name string) string { return filepath.Join(n.Dir, name) }

func (n *Node) format(ctx context.Context, d *Distribution, voters []string) error {
	if _, err := os.Stat(n.path("data/meta.properties")); err == nil {
		return nil
	}
	args := append([]string{"format", "-t", clusterID, "-c", n.path("server.properties")}, voters...)
	cmd, err := d.Command(ctx, "kafka-storage", args...)
	if err != nil {
		return err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("format Kafka's directory: %w\n%s", err, tail(out, 2000))
	}
	return nil
}

func (n *Node) run(ctx context.Context, d *Distribution) error {
	out, err := os.Create(n.path("server.log"))
	if err != nil {
		return err
	}
	defer out.Close()
	n.cmd = exec.Command("java", "-Xms512M", "-Xmx1G", "-server", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20",
		"-XX:InitiatingHeapOccupancyPercent=35", "-XX:+ExplicitGCInvokesConcurrent", "-Djava.awt.headless=true", // as Kafka's start script
		"-Dlog4j2.configurationFile="+n.path("log4j2.properties"), "-cp", d.ClassPath(), "kafka.Kafka", n.path("server.properties"))
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr, n.done = n.Dir, out, out, make(chan struct{})
	if err := n.cmd.Start(); err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	go func(cmd *exec.Cmd, done chan struct{}) {
		defer close(done)
		_ = cmd.Wait() // how it ended stands in its log
	}(n.cmd, n.done)
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for tick := time.NewTicker(100 * time.Millisecond); ; {
		text, err := os.ReadFile(n.path("server.log"))
		if err == nil && bytes.Contains(text, []byte("Kafka Server started")) {
			tick.Stop()
			return nil
		}
		select {
		case <-tick.C:
		case <-n.done:
			return fmt.Errorf("the broker ended while it started:\n%s", tail(text, 2000))
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("the broker did not start: %w\n%s", ctx.Err(), tail(text, 2000)), n.Stop())
		}
	}
}

// PID is the broker's process.
func (n *Node) PID() int { return n.cmd.Process.Pid }

// Kill ends the node at once, as a crash would, and waits for its end.
func (n *Node) Kill() error {
	if err := n.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill Kafka: %w", err)
	}
	<-n.done
	return nil
}

// Stop ends the node cleanly, or by force when it does not obey.
func (n *Node) Stop() error {
	if n.done == nil || n.cmd.Process == nil { // never ran
		return nil
	}
	if err := n.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop Kafka: %w", err)
	}
	select {
	case <-n.done:
	case <-time.After(30 * time.Second):
		return n.Kill()
	}
	return nil
}
