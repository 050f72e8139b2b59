package apache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startTimeout is long because a JVM on a busy machine is slow to start.
const startTimeout = 3 * time.Minute

// Node is a running Kafka broker (and controller).
type Node struct {
	Dir  string
	Addr string // host:port for clients
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
}

// Start formats dir, when it is new, and runs one combined node on 127.0.0.1.
// settings are broker settings; they win over what one node needs. It returns
// when the node serves.
func Start(ctx context.Context, dir string, settings map[string]string) (*Node, error) {
	d, err := Broker(ctx)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	ports, err := freePorts(2)
	if err != nil {
		return nil, err
	}
	n := &Node{Dir: dir, Addr: net.JoinHostPort("127.0.0.1", strconv.Itoa(ports[0])), done: make(chan struct{})}
	if err := n.writeSettings(ports, settings); err != nil {
		return nil, err
	}
	if err := n.format(ctx, d); err != nil {
		return nil, err
	}
	return n, n.run(ctx, d)
}

func (n *Node) writeSettings(ports []int, settings map[string]string) error {
	all := map[string]string{
		"process.roles": "broker,controller", "node.id": "1",
		"listeners":                           fmt.Sprintf("PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", ports[0], ports[1]),
		"controller.listener.names":           "CONTROLLER",
		"controller.quorum.bootstrap.servers": fmt.Sprintf("127.0.0.1:%d", ports[1]),
		"log.dirs":                            filepath.Join(n.Dir, "data"),
		"offsets.topic.replication.factor":    "1", "transaction.state.log.replication.factor": "1",
		"transaction.state.log.min.isr": "1", "share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr": "1",
	}
	for k, v := range settings {
		all[k] = v
	}
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

func (n *Node) format(ctx context.Context, d *Distribution) error {
	if _, err := os.Stat(n.path("data/meta.properties")); err == nil {
		return nil
	}
	cmd, err := d.Command(ctx, "kafka-storage", "format", "--standalone", "-t", "b3R0bGEtb3JhY2xlLTAwMQ", "-c", n.path("server.properties"))
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
	n.cmd = exec.Command("java", "-Xms512M", "-Xmx1G", "-server", "-XX:+UseG1GC", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile="+n.path("log4j2.properties"), "-cp", d.ClassPath(), "kafka.Kafka", n.path("server.properties"))
	n.cmd.Dir, n.cmd.Stdout, n.cmd.Stderr = n.Dir, out, out
	if err := n.cmd.Start(); err != nil {
		return fmt.Errorf("start Kafka: %w", err)
	}
	go func() {
		defer close(n.done)
		_ = n.cmd.Wait() // how it ended stands in its log
	}()
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

// freePorts finds ports below the range that outgoing connections use, so that
// no client takes one in between.
func freePorts(count int) ([]int, error) {
	var out []int
	for port := 19092 + os.Getpid()%5000; port < 32000 && len(out) < count; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return nil, err
		}
		out = append(out, port)
	}
	if len(out) < count {
		return nil, errors.New("no free ports for Kafka")
	}
	return out, nil
}
