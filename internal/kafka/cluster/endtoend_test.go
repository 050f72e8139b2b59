package cluster_test

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

func TestAClientFindsTheClusterAndMakesItsTopic(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	node, err := ottla.Start(ctx, ottla.Options{Settings: map[string]string{"num.partitions": "3", "broker.rack": "r1"}})
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	c, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.AllowAutoTopicCreation(), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.ProduceSync(ctx, &kgo.Record{Topic: "made", Value: make([]byte, 100)}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	a := kadm.NewClient(c)
	m, err := a.Metadata(ctx, "made")
	if err != nil {
		t.Fatal(err)
	}
	if m.Cluster != node.ClusterID() || m.Controller != 1 || len(m.Brokers) != 1 || *m.Brokers[0].Rack != "r1" || len(m.Topics["made"].Partitions) != 3 {
		t.Errorf("got %+v", m)
	}
	dirs, err := a.DescribeAllLogDirs(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	var bytes int64
	for _, d := range dirs[1] {
		for _, p := range d.Topics["made"] {
			bytes += p.Size
		}
	}
	if bytes < 100 || bytes > 1000 {
		t.Errorf("the topic has %d bytes on disk", bytes)
	}
}
