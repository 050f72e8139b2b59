package cli

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// A group whose partitions the server assigns (KIP-848) is shown with its type
// and its epochs.
func TestAConsumerGroupIsShownWithItsEpochs(t *testing.T) {
	n := reading(t, 2)
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.ConsumerGroup("served"), kgo.ConsumeTopics("t"), kgo.ClientID("reader"), kgo.ServerSideBalancer(),
		kgo.Balancers(kgo.StickyBalancer()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	read := c.PollFetches(ctx)
	if err := c.CommitRecords(ctx, read.Records()...); err != nil || read.NumRecords() == 0 {
		t.Fatalf("%d records were read, %v", read.NumRecords(), err)
	}
	call(t, n, "", "group", "describe", "served", "g").mustHold(t, 0, "served  Stable  consumer  epoch 2", "assignor uniform", "EPOCH", "TARGET", "reader", "g  Empty  classic")
	call(t, n, "", "group", "describe", "served", "-o", "template={{.topic}} {{.partition}} {{.end_offset}}").mustHold(t, 0, "t 0 2")
	call(t, n, "", "group", "describe", "served", "--members", "-o", "template={{.epoch}} {{.target}} {{.assigned}}").mustHold(t, 0, "2 1 [t-0]")
	call(t, n, "", "groups").mustHold(t, 0, "TYPE", "classic", "consumer", "uniform")
	call(t, n, "", "produce", "t", "late").mustHold(t, 0)
	c.LeaveGroup()
	call(t, n, "", "doctor", "--only", "D17").mustHold(t, 0, "group served has no members and is 1 records behind")
}
