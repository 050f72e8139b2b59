package server

import (
	"context"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/gateway/census"
)

// setGroup sets a setting of a group.
func setGroup(ctx context.Context, t *testing.T, c *kgo.Client, group, name, value string) {
	t.Helper()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	r.Configs = []kmsg.IncrementalAlterConfigsRequestResourceConfig{{Name: name, Value: &value}}
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, c)
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		t.Fatalf("set %s of %s: %v", name, group, err)
	}
}

func TestAPoisonedKeyIsShown(t *testing.T) {
	s := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for name, value := range map[string]string{"share.auto.offset.reset": "earliest", "share.key.ordering": "true", "share.retry.backoff.ms": "60000", "share.retry.backoff.max.ms": "60000"} {
		setGroup(ctx, t, c, "shop", name, value)
	}
	for _, key := range []string{"poison", "good", "poison", "good"} {
		if err := c.ProduceSync(ctx, &kgo.Record{Topic: "a", Partition: 1, Key: []byte(key)}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	m, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()), kgo.ShareGroup("shop"), kgo.ConsumeTopics("a"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for good := 0; good < 2; {
		fs := m.PollRecords(ctx, 10)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d of 2 good records came: %v", good, err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if string(r.Key) == "poison" {
				r.Ack(kgo.AckRelease)
				return
			}
			if r.Ack(kgo.AckAccept); string(r.Key) == "good" {
				good++
			}
		})
	}
	if err := m.FlushAcks(ctx); err != nil {
		t.Fatal(err)
	}
	o := census.Options{Image: s.broker.Image, ByName: s.broker.ByName, Groups: s.groups, Shares: s.shareStandings, Now: s.o.Now}
	_, page := shown(t, census.Detail(o))
	for row, want := range map[string]string{"acquired_records": "0", "redelivered_records": "1", "delayed_records": "1", "parked_keys": "1", "dying_records": "0"} {
		if line := "ottla_share_" + row + `{group="shop",partition="1",topic="a"} ` + want + "\n"; !strings.Contains(page, line) {
			t.Errorf("the page lacks %q:\n%s", line, page)
		}
	}
	o.Limits = census.Limits{Partitions: 1000, Groups: 1000, Offsets: 1000, Reads: 1000, Patience: patience}
	if n, page := shown(t, census.Detail(o)); n["ottla_share_parked_keys"] != 0 || strings.Contains(page, "omitted 0\n") {
		t.Errorf("a page without room for share groups does not say what it leaves out:\n%s", page)
	}
}

func TestDeadLettersAreCounted(t *testing.T) {
	s := crowded(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	yes := "true"
	if r, err := kadm.NewClient(c).CreateTopic(ctx, 1, 1, map[string]*string{"errors.deadletterqueue.group.enable": &yes}, "dlq.there"); err != nil || r.Err != nil {
		t.Fatal(err, r.Err)
	}
	for group, metric := range map[string]string{"there": "ottla_share_dead_letters_total", "missing": "ottla_share_dead_letters_failed_total"} {
		setGroup(ctx, t, c, group, "share.auto.offset.reset", "earliest")
		setGroup(ctx, t, c, group, "errors.deadletterqueue.topic.name", "dlq."+group)
		m, err := kgo.NewClient(kgo.SeedBrokers(s.KafkaAddr()), kgo.ShareGroup(group), kgo.ConsumeTopics("a"))
		if err != nil {
			t.Fatal(err)
		}
		for got := 0; got == 0 && ctx.Err() == nil; {
			fs := m.PollRecords(ctx, 1)
			fs.EachRecord(func(r *kgo.Record) { r.Ack(kgo.AckReject); got++ })
		}
		err = m.FlushAcks(ctx)
		for err == nil && s.metrics.Counter(metric).Value() == 0 {
			err = c.Ping(ctx)
		}
		if m.Close(); err != nil {
			t.Fatalf("group %s: %s stays 0: %v", group, metric, err)
		}
		if n := s.metrics.Counter(metric).Value(); n != 1 {
			t.Errorf("group %s: %s is %d, want 1", group, metric, n)
		}
	}
}
