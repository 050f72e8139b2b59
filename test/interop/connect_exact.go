package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/interop/crowd"
	"ottla/test/oracle/apache"
)

// runConnectExact is the client program for a distributed worker of Kafka
// Connect whose source writes lines and offsets in transactions (KIP-618).
func runConnectExact(ctx context.Context, addr, prefix string) error {
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
	if c.worker, err = distributed(tools, dir, addr, prefix); err != nil {
		return err
	}
	fmt.Println("VERSION kafka-connect", tools.Version)
	crowd.Tell("connect-exact", c.exact(ctx, addr))
	crowd.Tell("connect-exact-kill", c.exactKilled(ctx, addr))
	crowd.Tell("connect-exact-restart", c.exactRestart(ctx, addr))
	return c.worker.stop()
}

// distributed is a worker that keeps all that it knows in topics.
func distributed(tools *apache.Distribution, dir, addr, prefix string) (*worker, error) {
	w, err := newWorker(nil)
	if err != nil {
		return nil, err
	}
	settings := w.settings(addr)
	settings["group.id"], settings["exactly.once.source.support"] = prefix+"-workers", "enabled"
	for _, kind := range []string{"config", "offset", "status"} {
		settings[kind+".storage.topic"], settings[kind+".storage.replication.factor"] = prefix+"-"+kind, strconv.Itoa(crowd.Replicas())
	}
	settings["offset.storage.partitions"], settings["status.storage.partitions"] = "2", "1"
	settings["scheduled.rebalance.max.delay.ms"], settings["session.timeout.ms"] = "0", "6000"
	settings["heartbeat.interval.ms"] = "500"
	name := filepath.Join(dir, "worker.properties")
	if err := properties(name, settings); err != nil {
		return nil, err
	}
	w.command = func(ctx context.Context) (*exec.Cmd, error) { return tools.Command(ctx, "connect-distributed", name) }
	return w, nil
}

// exact makes the source, and asks for every line once.
func (c *connect) exact(ctx context.Context, addr string) error {
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
	source := c.connectors()[0]
	source["transaction.boundary"], source["exactly.once.support"] = "poll", "required"
	if err := c.worker.add(ctx, source); err != nil {
		return err
	}
	return c.written(ctx, addr)
}

// add gives the running worker a connector, when it can be reached.
func (w *worker) add(ctx context.Context, con connector) error {
	body, err := json.Marshal(con)
	if err != nil {
		return fmt.Errorf("word a connector: %w", err)
	}
	w.connectors = append(w.connectors, con)
	return until("the connector", func() (bool, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+w.rest+"/connectors/"+con["name"]+"/config", bytes.NewReader(body))
		if err != nil {
			return false, err
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, nil // it does not listen yet
		}
		defer func() { _ = resp.Body.Close() }() // only read
		text, err := io.ReadAll(io.LimitReader(resp.Body, tailBytes))
		if err != nil || resp.StatusCode == http.StatusBadRequest {
			return false, fmt.Errorf("the worker refuses the connector: %s (%v)", text, err)
		}
		return resp.StatusCode < 300 && w.runs(ctx, con["name"]), nil
	})
}

// written waits until the topic, read at read_committed, has each line once and
// in order.
func (c *connect) written(ctx context.Context, addr string) error {
	reader, err := dial(addr, kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.topic(): {0: kgo.NewOffset().AtStart()}}))
	if err != nil {
		return err
	}
	defer reader.Close()
	ctx, cancel := context.WithTimeout(ctx, workerWithin)
	defer cancel()
	for next := 0; next < c.lines; {
		fetches := reader.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("%d of %d lines came: %w", next, c.lines, err)
		}
		for _, r := range fetches.Records() {
			if want := fmt.Sprintf("line %d", next); strings.TrimSpace(string(r.Value)) != want {
				return fmt.Errorf("offset %d holds %q, want %q", r.Offset, r.Value, want)
			}
			next++
		}
	}
	return nil
}

// exactKilled kills the worker while it copies; the next one fences what it had
// open, and goes on.
func (c *connect) exactKilled(ctx context.Context, addr string) error {
	for range 20 {
		if err := c.write(50); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := c.worker.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("kill Connect: %w", err)
	}
	<-c.worker.ended
	if err := c.write(300); err != nil {
		return err
	}
	if err := c.worker.start(ctx); err != nil {
		return err
	}
	return c.written(ctx, addr)
}

// exactRestart restarts the broker meanwhile.
func (c *connect) exactRestart(ctx context.Context, addr string) error {
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
	return c.written(ctx, addr)
}
