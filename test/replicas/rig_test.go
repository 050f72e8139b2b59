package replicas

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/rig/trio"
)

// patience is how long a test waits for what must come; a busy machine needs some
// of it.
const patience = 2 * time.Minute

// cluster is three nodes and an administrator.
type cluster struct {
	*trio.Cluster
	t   *testing.T
	ctx context.Context
	adm *kadm.Client
}

func start(t *testing.T, settings map[string]string) *cluster {
	t.Helper()
	return startWith(t, trio.Options{Settings: settings})
}

func startWith(t *testing.T, o trio.Options) *cluster {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	c := &cluster{Cluster: trio.Start(t, o), t: t, ctx: ctx}
	c.adm = kadm.NewClient(c.Client())
	return c
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// create makes a topic of one partition with its replicas on the nodes, the first
// of which leads; without any the cluster chooses.
func (c *cluster) create(topic string, configs map[string]string, replicas ...int32) {
	c.t.Helper()
	req := kmsg.NewPtrCreateTopicsRequest()
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = topic, -1, -1
	if len(replicas) > 0 {
		t.ReplicaAssignment = []kmsg.CreateTopicsRequestTopicReplicaAssignment{{Replicas: replicas}}
	}
	for name, v := range configs {
		t.Configs = append(t.Configs, kmsg.CreateTopicsRequestTopicConfig{Name: name, Value: &v})
	}
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(c.ctx, c.Client())
	c.must(err)
	if r := resp.Topics[0]; r.ErrorCode != 0 {
		c.t.Fatalf("create %s: %d %v", topic, r.ErrorCode, r.ErrorMessage)
	}
}

// produce writes records of a size each to partition 0.
func (c *cluster) produce(topic string, from, count, size int, opts ...kgo.Opt) {
	c.t.Helper()
	cl := c.Client(append(opts, kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerBatchCompression(kgo.NoCompression()))...)
	for i := from; i < from+count; i++ {
		cl.Produce(c.ctx, &kgo.Record{Topic: topic, Value: []byte(value(i, size))}, func(_ *kgo.Record, err error) {
			if err != nil {
				c.t.Errorf("produce: %v", err)
			}
		})
	}
	c.must(cl.Flush(c.ctx))
	cl.Close()
}

// value is the record of a number.
func value(i, size int) string {
	v := fmt.Sprintf("record %d;", i)
	return v + strings.Repeat("x", max(size-len(v), 0))
}

// consume reads partition 0 from an offset and wants the numbered records.
func (c *cluster) consume(topic string, from, count, size int) {
	c.t.Helper()
	cl := c.Client(kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: {0: kgo.NewOffset().At(int64(from))}}))
	defer cl.Close()
	for i := from; i < from+count; {
		fs := cl.PollFetches(c.ctx)
		c.must(fs.Err0())
		for _, r := range fs.Records() {
			if string(r.Value) != value(i, size) || r.Offset != int64(i) {
				c.t.Fatalf("at offset %d: %.40q, want record %d", r.Offset, r.Value, i)
			}
			i++
		}
	}
}

// partition is what the metadata say of partition 0 now.
func (c *cluster) partition(topic string) kmsg.MetadataResponseTopicPartition {
	c.t.Helper()
	return c.Partition(topic, 0)
}

// await asks until it is so.
func (c *cluster) await(what string, so func() bool) {
	c.t.Helper()
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for !so() {
		select {
		case <-ticks.C:
		case <-c.ctx.Done():
			c.t.Fatalf("in vain: %s", what)
		}
	}
}

// inSync waits until partition 0 has so many replicas in sync.
func (c *cluster) inSync(topic string, want ...int32) {
	c.t.Helper()
	c.await(fmt.Sprintf("%s in sync on %v", topic, want), func() bool {
		isr := slices.Clone(c.partition(topic).ISR)
		slices.Sort(isr)
		return slices.Equal(isr, want)
	})
}

// prefer has the first of the replicas lead again.
func (c *cluster) prefer(topic string) {
	c.t.Helper()
	first := c.partition(topic).Replicas[0]
	c.await(fmt.Sprintf("node %d leads %s", first, topic), func() bool {
		_, err := c.adm.ElectLeaders(c.ctx, kadm.ElectPreferredReplica, kadm.TopicsSet{topic: {0: {}}})
		c.must(err)
		return c.partition(topic).Leader == first
	})
}

// segments are the files of partition 0 on a node.
func (c *cluster) segments(node int, topic string) []string {
	c.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.Dir(node), topic+"-0", "*.log"))
	c.must(err)
	slices.Sort(files)
	return files
}
