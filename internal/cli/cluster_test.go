package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"ottla/internal/cli/fail"
)

func TestOneNodeHasNowhereToMoveThings(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--partitions", "2").mustHold(t, 0)
	call(t, n, "", "cluster", "partitions").mustHold(t, 0, "all partitions have their replicas in sync")
	call(t, n, "", "cluster", "balance", "--dry-run").mustHold(t, 0, "nothing has to move")
	call(t, n, "", "cluster", "balance", "--stop").mustHold(t, 0, "TAKEN BACK", "0")
	call(t, n, "", "cluster", "drain", "1").mustHold(t, fail.Partly, "t-0 stays", "add a node")
	call(t, n, "", "cluster", "drain", "1", "--leaders", "--dry-run").mustHold(t, fail.Partly, "only replica")
	call(t, n, "", "cluster", "drain", "9").mustHold(t, fail.NotFound, "there is no node 9")
	call(t, n, "", "cluster", "drain", "x").mustHold(t, fail.Usage, "x is not a node's number")
	call(t, n, "", "cluster", "replace", "1", "2").mustHold(t, fail.NotFound, "node 2 does not serve")
	call(t, n, "", "cluster", "replace", "1", "1").mustHold(t, fail.Usage, "cannot replace itself")
	if r := call(t, n, "", "cluster", "drain", "1", "--dry-run", "-o", "json"); strings.TrimSpace(r.out) != "[]" {
		t.Errorf("a plan without moves is %q", r.out)
	}
}

func TestDurabilityIsToldPerTopic(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "a", "b", "--partitions", "1").mustHold(t, 0)
	call(t, n, "", "config", "set", "durability=memory", "-t", "b").mustHold(t, 0)
	call(t, n, "", "doctor", "durability").mustHold(t, 0, "ONE NODE LOST", "that node", "everything", "nothing", "let others join", "half a minute")
	var rows []struct {
		Topic string `json:"topic"`
		Power string `json:"lose_power"`
		Safe  *bool  `json:"safe"`
	}
	r := call(t, n, "", "doctor", "durability", "a", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil || len(rows) != 1 || rows[0].Topic != "a" || rows[0].Power != "nothing" || rows[0].Safe == nil || *rows[0].Safe {
		t.Errorf("%s: %v", r.out, err)
	}
	call(t, n, "", "doctor", "durability", "--strict").mustHold(t, fail.Failed)
	call(t, n, "", "doctor", "durability", "none").mustHold(t, fail.NotFound, "there is no topic none")
}

func TestAPartitionIsExplained(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "or-ders", "--partitions", "2").mustHold(t, 0)
	call(t, n, "", "explain", "partition", "or-ders-1").mustHold(t, 0, "or-ders-1 is led by node 1, in epoch", "preferred leader", "all of its replicas are in sync")
	call(t, n, "", "explain", "partition", "or-ders-2").mustHold(t, fail.NotFound, "no partition 2", "0 to 1")
	call(t, n, "", "explain", "partition", "none-0").mustHold(t, fail.NotFound, "there is no topic none")
	call(t, n, "", "explain", "partition", "orders").mustHold(t, fail.Usage, "TOPIC-N")
	var row struct {
		Leader   int32    `json:"leader"`
		Eligible []int32  `json:"eligible"`
		Story    []string `json:"story"`
	}
	r := call(t, n, "", "explain", "partition", "or-ders-0", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &row); err != nil || row.Leader != 1 || row.Eligible == nil || len(row.Story) == 0 {
		t.Errorf("%s: %v", r.out, err)
	}
}
