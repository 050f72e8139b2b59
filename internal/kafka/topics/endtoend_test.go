package topics_test

import (
	"context"
	"errors"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// admin starts a node and gives an admin client; stop ends both.
func admin(t *testing.T, o ottla.Options) (a *kadm.Client, stop func()) {
	t.Helper()
	node, err := ottla.Start(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	return kadm.NewClient(c), func() {
		c.Close()
		if err := node.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
}

func topicConfig(t *testing.T, a *kadm.Client, topic, key string) kadm.Config {
	t.Helper()
	all, err := a.DescribeTopicConfigs(within(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	r, err := all.On(topic, nil)
	if err := errors.Join(err, r.Err); err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Configs {
		if c.Key == key {
			return c
		}
	}
	t.Fatalf("%s has no %s", topic, key)
	return kadm.Config{}
}

func TestTopicsAndSettingsOutliveARestart(t *testing.T) {
	dir := t.TempDir()
	a, stop := admin(t, ottla.Options{Dir: dir})
	if r, err := a.CreateTopic(within(t), 3, 1, map[string]*string{"retention.ms": kadm.StringPtr("60000")}, "orders"); errors.Join(err, r.Err) != nil {
		t.Fatal(err, r.Err)
	}
	if r, err := a.CreatePartitions(within(t), 2, "orders"); errors.Join(err, r.Error()) != nil {
		t.Fatal(err, r.Error())
	}
	set := []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "segment.bytes", Value: kadm.StringPtr("2000000")}, {Op: kadm.AppendConfig, Name: "cleanup.policy", Value: kadm.StringPtr("compact")}}
	if r, err := a.AlterTopicConfigs(within(t), set, "orders"); errors.Join(err, r[0].Err) != nil {
		t.Fatal(err, r[0].Err)
	}
	if r, err := a.AlterBrokerConfigs(within(t), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "log.segment.delete.delay.ms", Value: kadm.StringPtr("1234")}}); errors.Join(err, r[0].Err) != nil {
		t.Fatal(err, r[0].Err)
	}
	before, err := a.ListTopics(within(t))
	if err != nil {
		t.Fatal(err)
	}
	stop()

	a, stop = admin(t, ottla.Options{Dir: dir})
	defer stop()
	after, err := a.ListTopics(within(t))
	if err != nil {
		t.Fatal(err)
	}
	if after["orders"].ID != before["orders"].ID || len(after["orders"].Partitions) != 5 {
		t.Errorf("got %+v, want the id %v and 5 partitions", after["orders"], before["orders"].ID)
	}
	for key, want := range map[string]string{"retention.ms": "60000", "segment.bytes": "2000000", "cleanup.policy": "delete,compact", "file.delete.delay.ms": "1234"} {
		if got := topicConfig(t, a, "orders", key); got.MaybeValue() != want {
			t.Errorf("%s: got %s, want %s", key, got.MaybeValue(), want)
		}
	}
}

func TestADeletedTopicComesBackAsAnother(t *testing.T) {
	a, stop := admin(t, ottla.Options{})
	defer stop()
	var ids [2]kadm.TopicID
	for i := range ids {
		r, err := a.CreateTopic(within(t), 1, 1, nil, "again")
		if errors.Join(err, r.Err) != nil {
			t.Fatal(err, r.Err)
		}
		ids[i] = r.ID
		if i == 0 {
			if r, err := a.DeleteTopic(within(t), "again"); errors.Join(err, r.Err) != nil {
				t.Fatal(err, r.Err)
			}
		}
	}
	if ids[0] == ids[1] {
		t.Errorf("both have the id %v", ids[0])
	}
	if _, err := a.CreateTopic(within(t), 1, 1, nil, "again"); !errors.Is(err, kerr.TopicAlreadyExists) {
		t.Errorf("got %v", err)
	}
}

func TestDeleteRecordsMovesTheStartOfTheLog(t *testing.T) {
	a, stop := admin(t, ottla.Options{})
	defer stop()
	if r, err := a.CreateTopic(within(t), 1, 1, nil, "log"); errors.Join(err, r.Err) != nil {
		t.Fatal(err, r.Err)
	}
	c := clientOf(t, a)
	for range 5 {
		if err := c.ProduceSync(within(t), &kgo.Record{Topic: "log", Value: []byte("x")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct{ to, low int64 }{{3, 3}, {1, 3}, {-1, 5}} {
		var offsets kadm.Offsets
		offsets.AddOffset("log", 0, step.to, -1)
		r, err := a.DeleteRecords(within(t), offsets)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := r.Lookup("log", 0); got.Err != nil || got.LowWatermark != step.low {
			t.Errorf("to %d: got %d, %v, want %d", step.to, got.LowWatermark, got.Err, step.low)
		}
	}
	starts, err := a.ListStartOffsets(within(t), "log")
	if err != nil {
		t.Fatal(err)
	}
	if o, _ := starts.Lookup("log", 0); o.Offset != 5 {
		t.Errorf("the log starts at %d, want 5", o.Offset)
	}
}

func TestASettingOfTheClusterReachesTopicsAtOnce(t *testing.T) {
	a, stop := admin(t, ottla.Options{})
	defer stop()
	if r, err := a.CreateTopic(within(t), 1, 1, nil, "small"); errors.Join(err, r.Err) != nil {
		t.Fatal(err, r.Err)
	}
	if r, err := a.AlterBrokerConfigs(within(t), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "message.max.bytes", Value: kadm.StringPtr("100")}}); errors.Join(err, r[0].Err) != nil {
		t.Fatal(err, r[0].Err)
	}
	c := clientOf(t, a)
	err := c.ProduceSync(within(t), &kgo.Record{Topic: "small", Value: make([]byte, 500)}).FirstErr()
	if !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("got %v, want MESSAGE_TOO_LARGE", err)
	}
	if got := topicConfig(t, a, "small", "max.message.bytes"); got.MaybeValue() != "100" || got.Source != kmsg.ConfigSourceDynamicDefaultBrokerConfig {
		t.Errorf("got %+v", got)
	}
}

// clientOf gives a producing client of the same node.
func clientOf(t *testing.T, a *kadm.Client) *kgo.Client {
	t.Helper()
	brokers, err := a.ListBrokers(within(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := kgo.NewClient(kgo.SeedBrokers(net.JoinHostPort(brokers[0].Host, strconv.Itoa(int(brokers[0].Port)))), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
