package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/nodes"
	"ottla/test/rig/trio"
)

// durabilityRow is what programs read of a topic.
type durabilityRow struct {
	Topic  string `json:"topic"`
	InSync int    `json:"in_sync"`
	One    string `json:"lose_one"`
	Two    string `json:"lose_two"`
	All    string `json:"lose_all"`
	Power  string `json:"lose_power"`
	Writes string `json:"writes_after_one"`
	Safe   bool   `json:"safe"`
}

// durability asks until what is wanted of every topic is so: what has just changed
// is known a moment later.
func durability(t *testing.T, bootstrap string, want map[string][5]string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		r := call(t, nil, "", "doctor", "durability", "-o", "json", "-b", bootstrap)
		var rows []durabilityRow
		if err := json.Unmarshal([]byte(r.out), &rows); r.code != 0 || err != nil {
			t.Fatalf("%s%s: %v", r.out, r.err, err)
		}
		found, wrong := 0, ""
		for _, row := range rows {
			w, ok := want[row.Topic]
			if !ok {
				continue
			}
			found++
			for i, got := range []string{fmt.Sprint(row.InSync), row.One, row.Two, row.Power, row.Writes} {
				if !strings.Contains(got, w[i]) {
					wrong += fmt.Sprintf("%s: got %q, want %q\n", row.Topic, got, w[i])
				}
			}
			if row.Safe != (row.One == "nothing" && row.Power == "nothing") || row.All != "everything" {
				t.Fatalf("%+v", row)
			}
		}
		if wrong == "" && found == len(want) {
			return
		}
		if ctx.Err() != nil {
			t.Fatalf("%d of %d topics are shown\n%s", found, len(want), wrong)
		}
	}
}

// What losses would cost is told of what is: by replicas, by who is in sync, by
// what is synced before it is acknowledged, and of the metadata.
func TestWhatLossesWouldCostNow(t *testing.T) {
	c := trio.Start(t, trio.Options{})
	make := func(topic, replicas string, settings ...string) {
		t.Helper()
		args := []string{"topic", "create", topic, "--partitions", "3", "--replicas", replicas}
		for _, s := range settings {
			args = append(args, "--config", s)
		}
		onThree(t, c, args...).mustHold(t, 0)
	}
	make("safe", "3", "min.insync.replicas=2")
	make("single", "1")
	make("two", "2", "min.insync.replicas=1", "unclean.leader.election.enable=true")
	make("replicated", "3", "durability=replicated", "min.insync.replicas=2")
	make("memory", "3", "durability=memory", "min.insync.replicas=2")
	c.Agree()
	const no, thatNode, thoseNodes = "nothing", "that node", "those nodes"
	durability(t, c.Bootstrap(), map[string][5]string{
		"safe":               {"3", no, no, no, "go on"},
		"single":             {"1", thatNode, thoseNodes, no, "stop"},
		"two":                {"2", no, thoseNodes, no, "go on"},
		"replicated":         {"3", no, no, "no node had synced", "go on"},
		"memory":             {"3", no, no, "half a minute", "go on"},
		"__cluster_metadata": {"3", no, "no majority of its 3 voters", no, "go on"},
	})
	onThree(t, c, "doctor", "durability", "safe", "--strict").mustHold(t, 0)
	onThree(t, c, "doctor", "durability", "memory", "--strict").mustHold(t, fail.Failed)

	c.Stop(3)
	durability(t, strings.Join(c.Addrs()[:2], ","), map[string][5]string{
		"safe":               {"2", no, "behind lack, by an unclean election", no, "stop"},
		"single":             {"0", thatNode, thoseNodes, no, "stand still already in 1 of 3 partitions"}, // in sync no more, and eligible
		"two":                {"1", "behind lack, without a word", thoseNodes, no, "stop"},
		"replicated":         {"2", no, "behind lack", "no node had synced", "stop"},
		"__cluster_metadata": {"2", "stands still until 2 of its 3 voters", "no majority", no, "stop"},
	})
}

// A partition that went on without a replica that may have had more is told of: what
// happened, and what to do.
func TestWhatMayBeLostAlready(t *testing.T) {
	c := trio.Start(t, trio.Options{})
	onThree(t, c, "topic", "create", "t", "--partitions", "1", "--replicas", "2", "--config", "min.insync.replicas=1",
		"--config", "unclean.leader.election.enable=true").mustHold(t, 0)
	c.Agree()
	p := c.Partition("t", 0)
	leader, follower := int(p.Leader), int(p.Replicas[0]+p.Replicas[1]-p.Leader)
	if r := onThree(t, c, "doctor", "durability"); strings.Contains(r.out, "may lack records") {
		t.Fatalf("nothing has happened yet: %s", r.out)
	}
	stopTold(t, c, follower)
	onThree(t, c, "produce", "t", "x").mustHold(t, 0)
	c.Stop(leader)
	c.Restart(follower)
	others := 6 - leader - follower
	at := strings.Join([]string{c.Addrs()[follower-1], c.Addrs()[others-1]}, ",")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for {
		r := call(t, nil, "", "doctor", "durability", "-b", at)
		if strings.Contains(r.out, "t-0 may lack records") {
			for _, words := range []string{fmt.Sprintf("when node %d went on as its leader", follower), fmt.Sprintf("no disk but those of node %d", leader), "ottla log dump"} {
				if !strings.Contains(r.out, words) {
					t.Errorf("%q is not in %s", words, r.out)
				}
			}
			break
		}
		if ctx.Err() != nil {
			t.Fatalf("it is not told of: %s%s", r.out, r.err)
		}
	}
	var rows []struct {
		Topic string       `json:"topic"`
		Lost  []nodes.Loss `json:"may_lack"`
	}
	r := call(t, nil, "", "doctor", "durability", "t", "-o", "json", "-b", at)
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil || len(rows) != 1 || len(rows[0].Lost) != 1 || rows[0].Lost[0].Leader != int32(follower) {
		t.Errorf("%s: %v", r.out, err)
	}
}
