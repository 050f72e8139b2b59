package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ottla/internal/cli/fail"
	"ottla/test/rig/trio"
)

// onThree runs a command line against three nodes, any of which may be asked:
// so all shall know what the one before has changed.
func onThree(t *testing.T, c *trio.Cluster, args ...string) result {
	t.Helper()
	c.Agree()
	return call(t, nil, "", append(args, "-b", c.Bootstrap())...)
}

func TestThreeNodesAreShownMovedAndExplained(t *testing.T) {
	c := trio.Start(t, trio.Options{Racks: []string{"a", "b", "c"}, Settings: map[string]string{"min.insync.replicas": "2"}})
	onThree(t, c, "topic", "create", "t", "--partitions", "6", "--replicas", "3").mustHold(t, 0)
	onThree(t, c, "topic", "create", "single", "--partitions", "3", "--replicas", "1", "--config", "min.insync.replicas=1").mustHold(t, 0)
	onThree(t, c, "produce", "t", "x").mustHold(t, 0)
	onThree(t, c, "cluster").mustHold(t, 0, "3 nodes", "broker, leader", "broker, voter", "all of 9 partitions have their replicas in sync")
	var rows []struct {
		State  string `json:"state"`
		Rack   string `json:"rack"`
		Behind *int64 `json:"behind_records"`
	}
	r := onThree(t, c, "cluster", "nodes", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil || len(rows) != 3 || rows[1].Rack != "b" {
		t.Fatalf("%s: %v", r.out, err)
	}
	for _, row := range rows {
		if row.State != "serving" || row.Behind == nil {
			t.Errorf("%+v", row)
		}
	}
	onThree(t, c, "explain", "partition", "t-0").mustHold(t, 0, "is led by node", "at least 2 must be", "is in sync and has every record")
	onThree(t, c, "doctor", "durability", "t", "--strict").mustHold(t, 0, "nothing", "go on")

	onThree(t, c, "cluster", "drain", "3", "--dry-run").mustHold(t, fail.Partly, "single-", "drained", "t-0 stays")
	onThree(t, c, "cluster", "drain", "3").mustHold(t, fail.Partly, "moved")
	if r := onThree(t, c, "topic", "describe", "single", "-o", "json"); strings.Contains(r.out, `"leader": 3`) {
		t.Errorf("node 3 leads although it was drained: %s", r.out)
	}
	onThree(t, c, "cluster", "balance").mustHold(t, 0, "moved")
	onThree(t, c, "cluster", "balance", "--dry-run").mustHold(t, 0, "nothing has to move")
	onThree(t, c, "cluster", "drain", "2", "--leaders").mustHold(t, fail.Partly, "steps down", "only replica")
	if r := onThree(t, c, "topic", "describe", "t", "-o", "json"); strings.Contains(r.out, `"leader": 2`) {
		t.Errorf("node 2 leads although it stepped down: %s", r.out)
	}
}

// stopTold stops a node, and waits until it is known to have stopped. Who leads
// the metadata quorum remembers why; where another leads afterwards, since it was
// that node or the machine is busy, it is stopped once more.
func stopTold(t *testing.T, c *trio.Cluster, node int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for {
		c.Stop(node)
		for !strings.Contains(onThree(t, c, "cluster").out, fmt.Sprintf("node %d is fenced", node)) {
			if ctx.Err() != nil {
				t.Fatalf("node %d has stopped and is not fenced", node)
			}
		}
		r := onThree(t, c, "explain", "partition", "t-0")
		if strings.Contains(r.out, fmt.Sprintf("node %d is shutting down", node)) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("nobody tells that node %d has stopped: %s%s", node, r.out, r.err)
		}
		c.Restart(node)
	}
}

func TestAPartitionWithoutANodeIsExplained(t *testing.T) {
	c := trio.Start(t, trio.Options{Settings: map[string]string{"min.insync.replicas": "2"}})
	onThree(t, c, "topic", "create", "t", "--partitions", "1", "--replicas", "3").mustHold(t, 0)
	stopTold(t, c, 3)
	onThree(t, c, "produce", "t", "x").mustHold(t, 0)
	onThree(t, c, "cluster").mustHold(t, 0, "fenced", "1 of 1 partition lack replicas", "at the minimum", "node 3 is fenced")
	onThree(t, c, "explain", "partition", "t-0").mustHold(t, 0, "node 3 is fenced", "when one more replica falls out",
		"why it came to this", "became the controller at", "node 3 is shutting down")
	var told []struct {
		Changes []struct {
			Why string `json:"why"`
			To  int32  `json:"to"`
		} `json:"changes"`
	}
	r := onThree(t, c, "explain", "partition", "t-0", "-o", "json")
	if err := json.Unmarshal([]byte("["+r.out+"]"), &told); err != nil || len(told) != 1 || len(told[0].Changes) == 0 || told[0].Changes[0].To < 1 {
		t.Errorf("%s: %v", r.out, err)
	}
	onThree(t, c, "doctor", "durability", "t").mustHold(t, 0, "stop")
	c.Restart(3)
	onThree(t, c, "produce", "t", "y").mustHold(t, 0)
}
