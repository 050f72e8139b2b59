package replicas

import (
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	throttleRate = 20_000 // bytes a second
	throttleSize = 10_000 // of a record, and each is a batch of its own
)

// A move copies no faster than its throttle says (KIP-73), judged by bytes against the
// clock: however long this takes, the new replica never has more than the rate gives.
// What is in sync goes on meanwhile, and the move is over once the throttle is gone.
func TestAThrottledMoveTakesItsBudget(t *testing.T) {
	const records = 200
	c := start(t, nil)
	c.create("orders", map[string]string{
		"min.insync.replicas": "3", "leader.replication.throttled.replicas": "*", "follower.replication.throttled.replicas": "*",
	}, 1, 2, 3)
	c.create("moved", map[string]string{
		"min.insync.replicas": "1", "leader.replication.throttled.replicas": "0:1", "follower.replication.throttled.replicas": "0:3",
	}, 1)
	c.produce("moved", 0, records, throttleSize, kgo.ProducerBatchMaxBytes(throttleSize+500))
	c.alterNodes(kadm.SetConfig, "20000")

	began := time.Now()
	resp, err := c.adm.AlterPartitionAssignments(c.ctx, assign("moved", 1, 3))
	c.must(err)
	c.must(resp.Error())
	c.await("the copy begins", func() bool { return c.size("moved", 3) > 0 })
	for round := range 10 {
		c.produce("orders", round*5, 5, 100)
		got := c.size("moved", 3)
		passed := time.Since(began).Seconds()
		// Two spans more may go at once, again whenever a whole window is forgotten,
		// and a batch more than there is room for.
		if most := throttleRate*(passed*1.2+2) + throttleSize + 1000; float64(got) > most {
			t.Fatalf("the replica has %d bytes after %.2f s, most %.0f", got, passed, most)
		}
	}

	c.alterNodes(kadm.DeleteConfig, "")
	c.inSync("moved", 1, 3)
	c.await("the replica has all", func() bool { return c.size("moved", 3) == c.size("moved", 1) })
	if p := c.partition("moved"); !slices.Equal(p.Replicas, []int32{1, 3}) {
		t.Errorf("replicas %v", p.Replicas)
	}
	c.consume("moved", 0, records, throttleSize)
	c.consume("orders", 0, 50, 100)
}

// alterNodes sets the rates of the nodes of the move, as kafka-reassign-partitions
// --throttle and --verify do.
func (c *cluster) alterNodes(op kadm.IncrementalOp, rate string) {
	c.t.Helper()
	var set []kadm.AlterConfig
	for _, name := range []string{"leader.replication.throttled.rate", "follower.replication.throttled.rate"} {
		set = append(set, kadm.AlterConfig{Op: op, Name: name, Value: &rate})
	}
	resp, err := c.adm.AlterBrokerConfigs(c.ctx, set, 1, 3)
	c.must(err)
	for _, r := range resp {
		c.must(r.Err)
	}
}

// size is how many bytes a node has of partition 0.
func (c *cluster) size(topic string, node int32) int64 {
	c.t.Helper()
	dirs, err := c.adm.DescribeBrokerLogDirs(c.ctx, node, kadm.TopicsSet{topic: {0: {}}})
	c.must(err)
	for _, d := range dirs {
		c.must(d.Err)
		if p, ok := d.Topics.Lookup(topic, 0); ok {
			return p.Size
		}
	}
	return 0
}
