package feed_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ottla/internal/partition"
	"ottla/internal/quota"
)

// throttledCluster has node 3 follow as one that is not in sync, and partitions
// whose leaders are throttled as the setting says.
func throttledCluster(t *testing.T, partitions int32, leaders string) *cluster {
	t.Helper()
	c := newCluster(t, partitions, func(c *partition.Config) { c.Throttled.Leaders = quota.ParseReplicas(leaders) })
	for i := range partitions {
		c.node(3).fetchers.Unfollow(c.node(3).parts[i])
		role := partition.Role{Leader: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2}}
		c.assign2(i, 3, role)
		must(t, c.node(3).parts[i].Become(role))
	}
	return c
}

func (c *cluster) join(index int32) { c.node(3).fetchers.Follow(c.node(3).parts[index], 1, 0) }

// until looks again and again until something is so.
func (c *cluster) until(what string, so func() bool) {
	c.t.Helper()
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for end := time.Now().Add(patience); !so(); <-look.C {
		if time.Now().After(end) {
			c.t.Fatalf("in vain: %s", what)
		}
	}
}

// held are the bytes that a node has of a partition.
func (n *node) held(index int32) int64 { return n.parts[index].Describe().Bytes }

// TestAThrottledReplicaGetsNoMoreThanTheRate: bytes against the clock, which the
// test moves; those in sync, and partitions that are not throttled, go on (KIP-73).
func TestAThrottledReplicaGetsNoMoreThanTheRate(t *testing.T) {
	c := throttledCluster(t, 2, "0:1,1:2") // partition 1 is not throttled while node 1 leads
	n1, n3 := c.node(1), c.node(3)
	const batch, batches, perSpan = 1100, 50, 4000
	for i := range 2 {
		for range batches {
			_, w := n1.append(int32(i), strings.Repeat("x", 1000))
			w.wait(t)
		}
	}
	if got := n1.held(0) / batches; got > batch {
		t.Fatalf("a batch has %d bytes", got)
	}
	n1.throttle.Limit(int64(perSpan * time.Second / span)) // what those in sync got before does not count
	c.join(0)
	c.join(1)
	c.until("partition 1 is all there", func() bool { return n3.held(1) == n1.held(1) })
	for spans := int64(1); spans <= 8; spans++ {
		before := n1.waits.Value()
		// What is cut off at the rate counts, and is sent again: so half of it.
		c.until(fmt.Sprintf("the rate is reached in span %d", spans), func() bool { return n1.waits.Value() > before && n3.held(0) > (spans-1)*perSpan/2 })
		if got, most := n3.held(0), (spans+1)*perSpan+batch; got > most {
			t.Fatalf("the replica got %d bytes in %d spans, most %d", got, spans, most)
		}
		_, w := n1.append(1, "others go on")
		w.wait(t)
		c.until("and get there", func() bool { return n3.held(1) == n1.held(1) })
		n1.clock.at.Add(int64(span))
	}
	if n3.held(0) == n1.held(0) {
		t.Fatal("all is there, and nothing was proved")
	}
	n1.throttle.Limit(quota.Unlimited)
	c.until("the rest comes when the rate is taken away", func() bool { return n3.parts[0].Offsets().LogEnd == batches })
}

// TestReplicasInSyncAreNotThrottled: acks=all goes on, and counts.
func TestReplicasInSyncAreNotThrottled(t *testing.T) {
	c := throttledCluster(t, 1, "*")
	n1 := c.node(1)
	n1.throttle.Limit(1)
	for range 20 {
		_, w := n1.append(0, strings.Repeat("x", 1000))
		w.wait(t)
	}
	if room, _ := n1.throttle.Room(); room != 0 {
		t.Errorf("room for %d bytes: what replicas in sync got does not count", room)
	}
	c.join(0)
	c.until("the one that is not in sync waits", func() bool { return n1.waits.Value() > 0 })
	if n := c.node(3).held(0); n != 0 {
		t.Errorf("it got %d bytes", n)
	}
	// Once it is in sync by the controller's word it is not throttled either.
	c.assign2(0, 3, partition.Role{Leader: 1, PartitionEpoch: 2, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}})
	c.until("it has everything", func() bool { return c.node(3).held(0) == n1.held(0) })
}
