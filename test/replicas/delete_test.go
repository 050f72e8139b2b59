package replicas

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// An answer to DeleteRecords says that the records are gone everywhere: whoever leads
// next begins where it said. A node that is away holds nobody up.
func TestDeletedRecordsAreGoneOnAllReplicas(t *testing.T) {
	c := start(t, nil)
	c.create("orders", map[string]string{"min.insync.replicas": "2"}, 1, 2, 3)
	c.produce("orders", 0, 20, 100)
	c.inSync("orders", 1, 2, 3)
	c.delete("orders", 15)
	_, err := c.adm.AlterPartitionAssignments(c.ctx, assign("orders", 2, 3))
	c.must(err)
	c.await("node 1 has no replica", func() bool { return len(c.partition("orders").Replicas) == 2 })
	c.await("another leads", func() bool { return c.partition("orders").Leader != 1 })
	if o, err := c.adm.ListStartOffsets(c.ctx, "orders"); err != nil || o["orders"][0].Offset != 15 {
		t.Errorf("after another was elected the log begins at %+v, %v; want 15", o["orders"][0], err)
	}
	c.Stop(3)
	c.await("node 2 leads", func() bool { return c.partition("orders").Leader == 2 })
	c.delete("orders", 18)
}

func assign(topic string, replicas ...int32) kadm.AlterPartitionAssignmentsReq {
	var req kadm.AlterPartitionAssignmentsReq
	req.Assign(topic, 0, replicas)
	return req
}

// delete deletes records of partition 0.
func (c *cluster) delete(topic string, upTo int64) {
	c.t.Helper()
	var o kadm.Offsets
	o.Add(kadm.Offset{Topic: topic, At: upTo})
	got, err := c.adm.DeleteRecords(c.ctx, o)
	c.must(err)
	if r := got[topic][0]; r.Err != nil || r.LowWatermark != upTo {
		c.t.Errorf("deleted up to %d: low watermark %d, %v", upTo, r.LowWatermark, r.Err)
	}
}
