package topics

import (
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

func TestCreatePartitionsAnswersInKafkasWords(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("a1", 4, 1))
	type more struct {
		name   string
		count  int32
		assign [][]int32
	}
	for _, c := range []struct {
		what string
		ask  []more
		want string
	}{
		{"as many", []more{{"a1", 4, nil}}, "a1 37 Topic already has 4 partition(s)."},
		{"fewer", []more{{"a1", 2, nil}}, "a1 37 The topic a1 currently has 4 partition(s); 2 would not be an increase."},
		{"unknown", []more{{"nope", 4, nil}}, "nope 3 <null>"},
		{"twice", []more{{"a1", 5, nil}, {"a1", 6, nil}}, "a1 42 Duplicate topic name."},
		{"too few lists", []more{{"a1", 7, [][]int32{{1}}}}, "a1 39 Attempted to add 3 additional partition(s), but only 1 assignment(s) were specified."},
		{"no such broker", []more{{"a1", 5, [][]int32{{9}}}}, "a1 39 The manual partition assignment includes broker 9, but no such broker is registered."},
		{"a broker twice", []more{{"a1", 5, [][]int32{{1, 1}}}}, "a1 39 The manual partition assignment includes the broker 1 more than once."},
		{"far too many", []more{{"a1", 100000, nil}}, "a1 44 Excessively large number of additional partitions per request."},
		{"assigned", []more{{"a1", 5, [][]int32{{1}}}}, "a1 0 <null>"},
		{"placed", []more{{"a1", 6, nil}}, "a1 0 <null>"},
		{"none", nil, ""},
	} {
		req := kmsg.NewPtrCreatePartitionsRequest()
		for _, m := range c.ask {
			q := kmsg.NewCreatePartitionsRequestTopic()
			q.Topic, q.Count = m.name, m.count
			for _, replicas := range m.assign {
				a := kmsg.NewCreatePartitionsRequestTopicAssignment()
				a.Replicas = replicas
				q.Assignment = append(q.Assignment, a)
			}
			req.Topics = append(req.Topics, q)
		}
		var got []string
		for _, r := range ask[*kmsg.CreatePartitionsResponse](n, req, -1).Topics {
			got = append(got, fmt.Sprintf("%s %d %s", r.Topic, r.ErrorCode, str(r.ErrorMessage)))
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, strings.Join(got, "\n"), c.want)
		}
	}
	if got := len(n.Image().TopicByName("a1").Partitions); got != 6 {
		t.Errorf("got %d partitions, want 6", got)
	}
}

func deleteTopics(n *node, version int16, refs ...controller.TopicRef) []string {
	n.t.Helper()
	req := kmsg.NewPtrDeleteTopicsRequest()
	for _, ref := range refs {
		req.TopicNames = append(req.TopicNames, ref.Name)
		q := kmsg.NewDeleteTopicsRequestTopic()
		q.TopicID = ref.ID
		if ref.Name != "" {
			q.Topic = kmsg.StringPtr(ref.Name)
		}
		req.Topics = append(req.Topics, q)
	}
	var got []string
	for _, r := range ask[*kmsg.DeleteTopicsResponse](n, req, version).Topics {
		got = append(got, fmt.Sprintf("%s %d %s", str(r.Topic), r.ErrorCode, str(r.ErrorMessage)))
	}
	return got
}

func TestDeleteTopicsAnswersInKafkasWords(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("a1", 1, 1), newTopicRequest("a2", 1, 1), newTopicRequest("a3", 1, 1), newTopicRequest("a4", 1, 1))
	id := n.Image().TopicByName("a2").ID
	for _, c := range []struct {
		what string
		refs []controller.TopicRef
		want string
	}{
		{"by name", []controller.TopicRef{{Name: "a1"}}, "a1 0 <null>"},
		{"again", []controller.TopicRef{{Name: "a1"}}, "a1 3 This server does not host this topic-partition."},
		{"by id", []controller.TopicRef{{ID: id}}, "a2 0 <null>"},
		{"unknown id", []controller.TopicRef{{ID: id}}, "<null> 100 This server does not host this topic ID."},
		{"twice by name", []controller.TopicRef{{Name: "a3"}, {Name: "a3"}, {Name: "a4"}}, "a3 42 Duplicate topic name.\na4 0 <null>"},
		{"twice by id", []controller.TopicRef{{ID: uuid.UUID{9}}, {ID: uuid.UUID{9}}}, "<null> 42 Duplicate topic id."},
		{"both", []controller.TopicRef{{Name: "a3", ID: uuid.UUID{9}}}, "a3 42 You may not specify both topic name and topic id."},
		{"neither", []controller.TopicRef{{}}, "<null> 42 Neither topic name nor id were specified."},
		{"none", nil, ""},
	} {
		if got := strings.Join(deleteTopics(n, -1, c.refs...), "\n"); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, got, c.want)
		}
	}
	if n.Image().TopicByName("a3") == nil {
		t.Error("a3 was named twice and is gone")
	}
	for v := int16(1); v <= 5; v++ {
		name := fmt.Sprintf("v%d", v)
		create(n, newTopicRequest(name, 1, 1))
		if got := deleteTopics(n, v, controller.TopicRef{Name: name}); len(got) != 1 || got[0] != name+" 0 <null>" {
			t.Errorf("v%d: got %q", v, got)
		}
	}
}

func TestDeleteTopicsCanBeSwitchedOff(t *testing.T) {
	n := newNode(t, map[string]string{"delete.topic.enable": "false"})
	create(n, newTopicRequest("a", 1, 1))
	if got := deleteTopics(n, 6, controller.TopicRef{Name: "a"}); got[0] != "a 73 <null>" {
		t.Errorf("v6: got %q", got)
	}
	if got := deleteTopics(n, 2, controller.TopicRef{Name: "a"}); got[0] != "a 42 <null>" {
		t.Errorf("v2: got %q", got)
	}
	n.fail = wire.NotController
	if n.Image().TopicByName("a") == nil {
		t.Error("the topic is gone")
	}
}

func TestARefusedDeleteIsEachTopicsRefusal(t *testing.T) {
	n := newNode(t, nil)
	n.fail = wire.NotController
	if got := deleteTopics(n, 1, controller.TopicRef{Name: "a"}, controller.TopicRef{Name: "b"}); len(got) != 2 || got[1] != "b 41 <null>" {
		t.Errorf("got %q", got)
	}
}

func TestDeleteRecordsChecksBeforeItDeletes(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("a1", 9, 1), newTopicRequest("cmp", 1, 1, "cleanup.policy", "compact"),
		newTopicRequest("both", 1, 1, "cleanup.policy", "compact,delete"), newTopicRequest("__consumer_offsets", 1, 1))
	for _, c := range []struct {
		topic         string
		index         int32
		offset        int64
		wantLow       int64
		wantErrorCode wire.Code
	}{
		{"a1", 0, 2, 2, 0},
		{"a1", 0, -1, 5, 0},
		{"a1", 0, 2, 5, 0},
		{"a1", 0, 99, -1, wire.OffsetOutOfRange},
		{"a1", 0, -2, -1, wire.OffsetOutOfRange},
		{"a1", 7, 1, -1, wire.NotLeaderOrFollower},
		{"a1", 3, 5, 1, wire.RequestTimedOut},
		{"a1", 4, 5, -1, wire.NotLeaderOrFollower},
		{"a1", 77, 2, -1, wire.UnknownTopicOrPartition},
		{"a1", -1, 2, -1, wire.UnknownTopicOrPartition},
		{"nope", 0, 2, -1, wire.UnknownTopicOrPartition},
		{"cmp", 0, 2, -1, wire.PolicyViolation},
		{"both", 0, 2, 2, 0},
		{"__consumer_offsets", 0, 2, -1, wire.InvalidTopic},
	} {
		req := kmsg.NewPtrDeleteRecordsRequest()
		q := kmsg.NewDeleteRecordsRequestTopic()
		q.Topic = c.topic
		p := kmsg.NewDeleteRecordsRequestTopicPartition()
		p.Partition, p.Offset = c.index, c.offset
		q.Partitions = append(q.Partitions, p)
		req.Topics = append(req.Topics, q)
		for v := int16(0); v <= 2; v++ {
			r := ask[*kmsg.DeleteRecordsResponse](n, req, v).Topics[0].Partitions[0]
			if r.Partition != c.index || r.LowWatermark != c.wantLow || wire.Code(r.ErrorCode) != c.wantErrorCode {
				t.Errorf("%s-%d to %d: got %+v, want %d and %d", c.topic, c.index, c.offset, r, c.wantLow, c.wantErrorCode)
			}
		}
	}
}

func TestElectLeadersAnswersWhatKafkaAnswers(t *testing.T) {
	n := newNode(t, nil)
	create(n, newTopicRequest("a1", 2, 1))
	named := func(name string, partitions ...int32) kmsg.ElectLeadersRequestTopic {
		q := kmsg.NewElectLeadersRequestTopic()
		q.Topic, q.Partitions = name, partitions
		return q
	}
	for _, c := range []struct {
		what    string
		kind    int8
		version int16
		topics  []kmsg.ElectLeadersRequestTopic
		want    string
	}{
		{"all", 0, 2, nil, "0"},
		{"named", 0, 2, []kmsg.ElectLeadersRequestTopic{named("a1", 0, 77), named("nope", 0)},
			"0; a1-0 84 Leader election not needed for topic partition.; a1-77 3 No such partition as a1-77; nope-0 3 No such topic as nope"},
		{"unclean", 1, 2, []kmsg.ElectLeadersRequestTopic{named("a1", 0)}, "0; a1-0 84 Leader election not needed for topic partition."},
		{"no such type", 5, 2, []kmsg.ElectLeadersRequestTopic{named("a1", 0)}, "42; a1-0 42 Unknown election type 5"},
		{"v0 has no type", 5, 0, []kmsg.ElectLeadersRequestTopic{named("a1", 0)}, "0; a1-0 84 Leader election not needed for topic partition."},
	} {
		req := kmsg.NewPtrElectLeadersRequest()
		req.ElectionType, req.Topics = c.kind, c.topics
		resp := ask[*kmsg.ElectLeadersResponse](n, req, c.version)
		got := fmt.Sprint(resp.ErrorCode)
		for _, r := range resp.Topics {
			for _, p := range r.Partitions {
				got += fmt.Sprintf("; %s-%d %d %s", r.Topic, p.Partition, p.ErrorCode, str(p.ErrorMessage))
			}
		}
		if got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, got, c.want)
		}
	}
	n.fail = wire.NotController
	req := kmsg.NewPtrElectLeadersRequest()
	if resp := ask[*kmsg.ElectLeadersResponse](n, req, 2); resp.ErrorCode != int16(wire.NotController) {
		t.Errorf("refused: got %+v", resp)
	}
}

func TestDescribeTopicPartitionsPages(t *testing.T) {
	n := newNode(t, map[string]string{"max.request.partition.size.limit": "100"})
	create(n, newTopicRequest("a1", 5, 1), newTopicRequest("cmp", 1, 1))
	for _, c := range []struct {
		what      string
		limit     int32
		cursor    string // topic:partition
		partition int32
		names     []string
		want      string
	}{
		{"one topic", 2000, "", 0, []string{"a1"}, "a1 0 [0 1 2 3 4]"},
		{"sorted and once", 2000, "", 0, []string{"nope", "a1", "a b", "a1"}, "a b 17 []; a1 0 [0 1 2 3 4]; nope 3 []"},
		{"cut in a topic", 2, "", 0, []string{"cmp", "a1"}, "a1 0 [0 1]; next a1:2"},
		{"cut between topics", 5, "", 0, []string{"cmp", "a1"}, "a1 0 [0 1 2 3 4]; next cmp:0"},
		{"no limit means one", 0, "", 0, []string{"a1"}, "a1 0 [0]; next a1:1"},
		{"negative limit means one", -1, "", 0, []string{"a1"}, "a1 0 [0]; next a1:1"},
		{"goes on", 2, "a1", 2, []string{"a1", "cmp"}, "a1 0 [2 3]; next a1:4"},
		{"ends exactly", 6, "", 0, []string{"a1", "cmp"}, "a1 0 [0 1 2 3 4]; cmp 0 [0]"},
		{"negative cursor", 2, "a1", -2, []string{"a1", "cmp"}, "a1 42 []; cmp 42 []"},
		{"cursor beyond the end", 2, "a1", 99, []string{"a1", "cmp"}, "a1 0 []; cmp 0 [0]"},
		{"cursor of another topic", 2, "b1", 0, []string{"a1", "cmp"}, "a1 42 []; cmp 42 []"},
		{"all", 3, "", 0, nil, "a1 0 [0 1 2]; next a1:3"},
		{"all, from a topic that is gone", 3, "b", 4, nil, "cmp 0 [0]"},
		{"no name", 3, "", 0, []string{""}, " 17 []"},
	} {
		req := kmsg.NewPtrDescribeTopicPartitionsRequest()
		req.ResponsePartitionLimit = c.limit
		for _, name := range c.names {
			q := kmsg.NewDescribeTopicPartitionsRequestTopic()
			q.Topic = name
			req.Topics = append(req.Topics, q)
		}
		if c.cursor != "" {
			cur := kmsg.NewDescribeTopicPartitionsRequestCursor()
			cur.Topic, cur.Partition = c.cursor, c.partition
			req.Cursor = &cur
		}
		resp := ask[*kmsg.DescribeTopicPartitionsResponse](n, req, 0)
		var got []string
		for _, r := range resp.Topics {
			indexes := []int32{}
			for _, p := range r.Partitions {
				indexes = append(indexes, p.Partition)
				if p.LeaderID != 1 || p.ErrorCode != 0 || p.EligibleLeaderReplicas == nil || len(p.OfflineReplicas) > 0 {
					t.Errorf("%s: %+v", c.what, p)
				}
			}
			got = append(got, fmt.Sprintf("%s %d %v", str(r.Topic), r.ErrorCode, indexes))
		}
		if resp.NextCursor != nil {
			got = append(got, fmt.Sprintf("next %s:%d", resp.NextCursor.Topic, resp.NextCursor.Partition))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", c.what, strings.Join(got, "; "), c.want)
		}
	}
}

func TestDescribeTopicPartitionsShowsAPartitionWithoutALeader(t *testing.T) {
	f := newCluster(t, 1, 2)
	f.must(controller.CreateTopics{Topics: []controller.NewTopic{{Name: "a", Partitions: -1, Replicas: -1, Assignments: map[int32][]int32{0: {2}}}}})
	f.must(controller.FenceBroker{ID: 2, Epoch: f.Image().Broker(2).Epoch})
	p := f.Image().TopicByName("a").Partitions[0]
	r := describePartition(f.Image(), p)
	if r.ErrorCode != int16(wire.LeaderNotAvailable) || r.LeaderID != -1 || len(r.OfflineReplicas) != 1 {
		t.Errorf("got %+v", r)
	}
}
