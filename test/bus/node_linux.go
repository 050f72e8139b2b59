package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/realfault"
)

// node is the one that is measured. All of its topics are durable.
type node struct {
	door
	kafka  string
	client *kgo.Client
	proc   *realfault.Node
	log    *os.File
	dir    string
	putMs  int64 // the time of the records that were put last
	sink   *sink // where addresses are, once there are any
}

// stopWithin is generous: how fast a stop must be is judged elsewhere.
const stopWithin = 30 * time.Second

func startNode(ctx context.Context, dir string) (*node, error) {
	log, err := os.Create(filepath.Join(dir, "node.log"))
	if err != nil {
		return nil, fmt.Errorf("make the log of the node: %w", err)
	}
	n := &node{log: log, dir: dir}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(err, log.Close())
	}
	return n, nil
}

func (n *node) start(ctx context.Context) error {
	setup, err := realfault.NewSetup(ctx, *ottlaAt, n.dir, filepath.Join(n.dir, "data"), n.log)
	if err != nil {
		return err
	}
	port, err := realfault.FreePorts(1)
	if err != nil {
		return err
	}
	n.kafka, n.addrs = setup.Address(), []string{"127.0.0.1:" + strconv.Itoa(port[0])}
	setup.Flags = []string{"--http", n.addrs[0]}
	if n.proc, err = setup.Start(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	if n.client, err = clientOf([]string{n.kafka}); err != nil {
		n.proc.Kill()
	}
	return err
}

func (n *node) close() error {
	n.client.Close()
	if n.sink != nil {
		n.sink.close()
	}
	return errors.Join(n.proc.Stop(stopWithin), n.log.Close())
}

// put makes things by their paths, in the order they are told.
func (n *node) put(ctx context.Context, things ...thing) error {
	for _, x := range things {
		if err := n.ask(ctx, http.MethodPut, x.path, x.body, nil); err != nil {
			return err
		}
	}
	return nil
}

// thing is something that is defined through the HTTP door.
type thing struct {
	path string
	body object
}

// topic makes one of one partition, unless it is there.
func (n *node) topic(ctx context.Context, name string) error {
	adm := kadm.NewClient(n.client)
	if there, err := adm.ListTopics(ctx, name); err != nil || there.Has(name) && there[name].Err == nil {
		return err
	}
	made, err := adm.CreateTopic(ctx, 1, 1, nil, name)
	return errors.Join(err, made.Err)
}

// page gets one of the node's own pages.
func (n *node) page(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.addrs[0]+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // the node is measured, and not its gzip
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %d %s", path, resp.StatusCode, text)
	}
	return text, nil
}

// counter reads one of the node's metrics.
func (n *node) counter(ctx context.Context, name string) (int, error) {
	text, err := n.page(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return int(v), err
		}
	}
	return 0, fmt.Errorf("the node has no metric %s", name)
}

const (
	// lookEvery is how exact a moment is that is found by looking.
	lookEvery  = 50 * time.Millisecond
	doneWithin = 10 * time.Minute
)

// reaches waits until a metric is at least so much.
func (n *node) reaches(ctx context.Context, name string, want int) error {
	for begun := time.Now(); ; {
		got, err := n.counter(ctx, name)
		if err != nil || got >= want {
			return err
		}
		if time.Since(begun) > doneWithin {
			return fmt.Errorf("%s is %d, and %d was expected", name, got, want)
		}
		if err := realfault.Pause(ctx, lookEvery); err != nil {
			return err
		}
	}
}

// inUse is what the node has in use of heap and stacks, after a collection.
func (n *node) inUse(ctx context.Context) (bytesInUse int64, err error) {
	text, err := n.page(ctx, "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		name, value, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "# "), " = ")
		if name != "HeapAlloc" && name != "Stack" {
			continue
		}
		value, _, _ = strings.Cut(value, " / ")
		b, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("the memory in use, %s: %w", name, err)
		}
		bytesInUse += b
	}
	return bytesInUse, lines.Err()
}

// profileFor is how long a profile is at most.
const profileFor = 5

// profile begins a CPU profile of the node, where that is wanted, and returns what waits
// for its end.
func (n *node) profile(ctx context.Context, name string) (end func()) {
	if *profile == "" {
		return func() {}
	}
	var taking sync.WaitGroup
	taking.Go(func() {
		text, err := n.page(ctx, fmt.Sprintf("/debug/pprof/profile?seconds=%d", profileFor))
		if err == nil {
			err = os.WriteFile(filepath.Join(*profile, name+".pb.gz"), text, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "bus: there is no profile:", err)
		}
	})
	return taking.Wait
}
