package failover

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A share group takes every record while one node after the other is away:
// whoever leads its partitions, their states and the group itself.
func TestAShareGroupGoesOnWhileOneNodeAfterTheOtherIsAway(t *testing.T) {
	n := startNodes(t)
	n.setGroup("g", "share.auto.offset.reset", "earliest")
	producer := n.Client(kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	member := n.Client(kgo.ShareGroup("g"), kgo.ConsumeTopics("in"))
	taken := map[string]bool{}
	round := func(name string) {
		for i := range 60 {
			n.must(producer.ProduceSync(n.ctx, &kgo.Record{Topic: "in", Value: fmt.Appendf(nil, "%s/%d", name, i)}).FirstErr())
		}
		for want := len(taken) - len(taken)%60 + 60; len(taken) < want; {
			fs := member.PollRecords(n.ctx, 20)
			if n.ctx.Err() != nil {
				t.Fatalf("%s: %d of %d records have come", name, len(taken), want)
			}
			fs.EachRecord(func(r *kgo.Record) {
				taken[string(r.Value)] = true
				r.Ack(kgo.AckAccept)
			})
		}
	}
	round("all there")
	for number := 1; number <= 3; number++ {
		n.Stop(number)
		round(fmt.Sprintf("without %d", number))
		n.Restart(number)
		round(fmt.Sprintf("with %d again", number))
	}
	n.must(member.FlushAcks(n.ctx))
	member.Close()
}

// setGroup sets a setting of a group.
func (n *nodes) setGroup(group, name, value string) {
	n.t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	r.Configs = append(r.Configs, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: name, Value: &value})
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(n.ctx, n.cl)
	n.must(err)
	n.must(kerr.ErrorForCode(resp.Resources[0].ErrorCode))
}
