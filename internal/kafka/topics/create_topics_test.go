package topics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/wire"
)

// The wanted texts are a Kafka 4.4.0 broker's answers to the same requests.
func TestCreateTopicsRefusesInKafkasWords(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("a1", 1, 1), newTopicRequest("col.x", 1, 1))
	for _, c := range []struct {
		what   string
		topics []kmsg.CreateTopicsRequestTopic
		want   string
	}{
		{"again", list(newTopicRequest("a1", 1, 1)), "a1 36 Topic 'a1' already exists."},
		{"twice", list(newTopicRequest("a3", 2, 1), newTopicRequest("a3", 1, 1)), "a3 42 Duplicate topic name."},
		{"no partitions", list(newTopicRequest("a4", 0, 1)), "a4 37 Number of partitions was set to an invalid non-positive value."},
		{"minus two partitions", list(newTopicRequest("a4", -2, 1)), "a4 37 Number of partitions was set to an invalid non-positive value."},
		{"no replicas", list(newTopicRequest("a4", 1, 0)), "a4 38 Replication factor must be larger than 0, or -1 to use the default value."},
		{"minus three replicas", list(newTopicRequest("a4", 1, -3)), "a4 38 Replication factor must be larger than 0, or -1 to use the default value."},
		{"too many replicas", list(newTopicRequest("a4", 1, 5)), "a4 38 Unable to replicate the partition 5 time(s): The target replication factor of 5 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned."},
		{"far too many partitions", list(newTopicRequest("a4", 100000, 1)), "a4 44 Excessively large number of partitions per request."},
		{"no name", list(newTopicRequest("", 1, 1)), " 17 Topic name is invalid: the empty string is not allowed"},
		{"a dot", list(newTopicRequest(".", 1, 1)), ". 17 Topic name is invalid: '.' is not allowed"},
		{"a space", list(newTopicRequest("a b", 1, 1)), "a b 17 Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"},
		{"collision", list(newTopicRequest("col_x", 1, 1)), "col_x 17 Topic 'col_x' collides with existing topic: col.x"},
		{"the metadata", list(newTopicRequest("__cluster_metadata", 1, 1)), "__cluster_metadata 42 Creation of internal topic __cluster_metadata is prohibited."},
		{"unknown setting", list(newTopicRequest("a5", 1, 1, "nosuch", "1")), "a5 40 Unknown topic config name: nosuch"},
		{"bad setting", list(newTopicRequest("a5", 1, 1, "retention.ms", "x")), "a5 40 Invalid value x for configuration retention.ms: Not a number of type LONG"},
		{"null setting", list(newTopicRequest("a5", 1, 1, "retention.ms", "<null>")), "a5 40 Null value not supported for topic configs: retention.ms"},
		{"gap", list(assigned(newTopicRequest("a8", -1, -1), []int32{0, 1}, []int32{2, 1})), "a8 39 partitions should be a consecutive 0-based integer sequence"},
		{"partitions and assignment", list(assigned(newTopicRequest("a8", 2, -1), []int32{0, 1})), "a8 42 A manual partition assignment was specified, but numPartitions was not set to -1."},
		{"replicas and assignment", list(assigned(newTopicRequest("a8", -1, 1), []int32{0, 1})), "a8 42 A manual partition assignment was specified, but replication factor was not set to -1."},
		{"assigned twice", list(assigned(newTopicRequest("a8", -1, -1), []int32{0, 1}, []int32{0, 1})), "a8 39 Found multiple manual partition assignments for partition 0"},
		{"assigned to nobody", list(assigned(newTopicRequest("a8", -1, -1), []int32{0, 9})), "a8 39 The manual partition assignment includes broker 9, but no such broker is registered."},
	} {
		resp := create(n, c.topics...)
		var got []string
		for _, r := range resp.Topics {
			got = append(got, fmt.Sprintf("%s %d %s", r.Topic, r.ErrorCode, str(r.ErrorMessage)))
			if r.NumPartitions != -1 || r.ReplicationFactor != -1 || len(r.Configs) != 0 {
				t.Errorf("%s: a refusal carries a shape: %+v", c.what, r)
			}
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, strings.Join(got, "\n"), c.want)
		}
	}
}

func list(topics ...kmsg.CreateTopicsRequestTopic) []kmsg.CreateTopicsRequestTopic { return topics }

func TestCreateTopicsAnswersShapeAndSettings(t *testing.T) {
	n := newNode(t, map[string]string{"num.partitions": "3", "default.replication.factor": "3", "log.segment.bytes": "2000000"})
	resp := create(n, newTopicRequest("a", -1, -1, "retention.ms", " 100 ", "retention.ms", " 200 ", "cleanup.policy", "compact, delete"))
	r := resp.Topics[0]
	if r.ErrorCode != 0 || r.ErrorMessage != nil || r.NumPartitions != 3 || r.ReplicationFactor != 1 {
		t.Fatalf("got %+v", r)
	}
	topic := n.Image().TopicByName("a")
	if topic == nil || [16]byte(topic.ID) != r.TopicID {
		t.Fatalf("the image has %+v, the answer id %x", topic, r.TopicID)
	}
	want := map[string]string{"retention.ms": "200/1", "cleanup.policy": "compact,delete/1", "segment.bytes": "2000000/4", "flush.ms": "9223372036854775807/5"}
	last := ""
	for _, c := range r.Configs {
		if w, ok := want[c.Name]; ok && fmt.Sprintf("%s/%d", str(c.Value), c.Source) != w {
			t.Errorf("%s: got %s/%d, want %s", c.Name, str(c.Value), c.Source, w)
		}
		if c.Name <= last {
			t.Errorf("%s comes after %s", c.Name, last)
		}
		last = c.Name
		delete(want, c.Name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}

func TestValidateOnlyCreatesNothing(t *testing.T) {
	n := newNode(t, nil)
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics, req.ValidateOnly = list(newTopicRequest("v", 2, 1)), true
	if r := ask[*kmsg.CreateTopicsResponse](n, req, -1).Topics[0]; r.ErrorCode != 0 || r.NumPartitions != 2 {
		t.Errorf("got %+v", r)
	}
	if n.Image().TopicByName("v") != nil {
		t.Error("the topic was made")
	}
}

func TestARefusedCommandIsEachTopicsRefusal(t *testing.T) {
	n := newNode(t, nil)
	n.fail = wire.NotController
	resp := create(n, newTopicRequest("a", 1, 1), newTopicRequest("b", 1, 1))
	if len(resp.Topics) != 2 || resp.Topics[1].ErrorCode != int16(wire.NotController) {
		t.Errorf("got %+v", resp.Topics)
	}
}

func TestOldCreateTopicsVersionsWork(t *testing.T) {
	n := newNode(t, nil)
	for v := int16(2); v <= 7; v++ {
		req := kmsg.NewPtrCreateTopicsRequest()
		req.Topics = list(newTopicRequest(fmt.Sprintf("v%d", v), 1, 1))
		if r := ask[*kmsg.CreateTopicsResponse](n, req, v).Topics[0]; r.ErrorCode != 0 {
			t.Errorf("v%d: %d %s", v, r.ErrorCode, str(r.ErrorMessage))
		}
	}
}

func TestAnExplicitReplicationFactorIsNotCapped(t *testing.T) {
	n := newNode(t, map[string]string{"default.replication.factor": "3"})
	resp := create(n, newTopicRequest("capped", 1, -1), newTopicRequest("explicit", 1, 3))
	if resp.Topics[0].ErrorCode != 0 || resp.Topics[1].ErrorCode != int16(wire.InvalidReplicationFactor) {
		t.Errorf("got %d and %d", resp.Topics[0].ErrorCode, resp.Topics[1].ErrorCode)
	}
}

func TestFencedBrokersDoNotCountForTheDefaultFactor(t *testing.T) {
	n := newNode(t, map[string]string{"default.replication.factor": "2"})
	epoch := n.register(2)
	for i, want := range []int16{1, 2} {
		r := create(n, newTopicRequest(fmt.Sprintf("t%d", i), 1, -1)).Topics[0]
		if r.ErrorCode != 0 || r.ReplicationFactor != want {
			t.Errorf("topic %d: got code %d and factor %d, want factor %d", i, r.ErrorCode, r.ReplicationFactor, want)
		}
		n.must(controller.UnfenceBroker{ID: 2, Epoch: epoch})
	}
}
