package kafkatools

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/kafkatools/words"
)

func getOffsetsTool() *tool {
	return &tool{
		name: "kafka-get-offsets", about: "Show the offsets of partitions, at the end, the start or a time.",
		options: append(bootstrapOptions(true),
			option{name: "topic", arg: "NAME", help: "only topics whose name matches this regular expression"},
			option{name: "partitions", arg: "N,...", help: "only these partitions"},
			option{name: "topic-partitions", arg: "TOPIC:N,...", help: "patterns of topics and partitions: t:1, t:0-3 (3 excluded), t:5-, t:-3, t, :2"},
			option{name: "time", arg: "TIME", help: "milliseconds since 1970, or -1 latest, -2 earliest, -3 max-timestamp, -4 earliest-local, -5 latest-tiered, -6 earliest-pending-upload"},
			option{name: "exclude-internal-topics", help: "leave internal topics out"},
		),
		run:    getOffsets,
		failed: func(c *call, err error) { fmt.Fprintf(c.err, "Error occurred: %v\n", err) },
	}
}

// offsetTimes are the words for the special timestamps of ListOffsets.
var offsetTimes = map[string]int64{
	"latest": -1, "earliest": -2, "max-timestamp": -3, "earliest-local": -4, "latest-tiered": -5, "earliest-pending-upload": -6,
}

func getOffsets(ctx context.Context, c *call) error {
	if c.has("topic-partitions") && c.any("topic", "partitions") {
		return words.New("--topic-partitions cannot be used with --topic or --partitions")
	}
	at, err := offsetTime(c.value("time", "latest"))
	if err != nil {
		return err
	}
	wanted, err := partitionFilter(c)
	if err != nil {
		return err
	}
	a, client, err := c.admin(ctx, "GetOffsetShell")
	if err != nil {
		return err
	}
	defer client.Close()
	topics, err := a.ListTopicsWithInternal(ctx)
	if err != nil {
		return words.Of(err, "")
	}
	partitions := kadm.TopicsSet{}
	for _, t := range topics {
		for p := range t.Partitions {
			if (!t.IsInternal || !c.has("exclude-internal-topics")) && wanted(t.Topic, p) {
				partitions.Add(t.Topic, p)
			}
		}
	}
	if len(partitions) == 0 {
		return words.New("Could not match any topic-partitions with the specified filters")
	}
	return c.printOffsets(ctx, client, partitions, at)
}

func (c *call) printOffsets(ctx context.Context, client *kgo.Client, set kadm.TopicsSet, at int64) error {
	found, err := listOffsets(ctx, client, set, at)
	if err != nil {
		return err
	}
	for _, f := range found {
		switch {
		case f.err != nil:
			fmt.Fprintf(c.err, "Skip getting offsets for topic-partition %s-%d due to error: %v\n", f.topic, f.partition, words.WithClass(f.err, ""))
		case f.offset >= 0:
			c.printf("%s:%d:%d\n", f.topic, f.partition, f.offset)
		}
	}
	return nil
}

// foundOffset is one partition's answer to ListOffsets.
type foundOffset struct {
	topic     string
	partition int32
	offset    int64 // -1: there is none
	err       error
}

// listOffsets asks for the offsets at a time, sorted as Kafka's tool prints
// them: by the text topic-partition.
func listOffsets(ctx context.Context, client *kgo.Client, set kadm.TopicsSet, at int64) ([]foundOffset, error) {
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	for topic, partitions := range set {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = topic
		for p := range partitions {
			q := kmsg.NewListOffsetsRequestTopicPartition()
			q.Partition, q.Timestamp = p, at
			t.Partitions = append(t.Partitions, q)
		}
		req.Topics = append(req.Topics, t)
	}
	var out []foundOffset
	for _, shard := range client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return nil, words.Of(shard.Err, "")
		}
		for _, t := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics {
			for _, p := range t.Partitions {
				out = append(out, foundOffset{t.Topic, p.Partition, p.Offset, kerr.ErrorForCode(p.ErrorCode)})
			}
		}
	}
	slices.SortFunc(out, func(a, b foundOffset) int {
		return strings.Compare(fmt.Sprintf("%s-%d", a.topic, a.partition), fmt.Sprintf("%s-%d", b.topic, b.partition))
	})
	return out, nil
}

func offsetTime(word string) (int64, error) {
	if t, ok := offsetTimes[word]; ok {
		return t, nil
	}
	t, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return 0, words.New("Malformed time argument %s. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format timestamp", word)
	}
	return t, nil
}

// partitionFilter compiles --topic-partitions, or --topic and --partitions.
func partitionFilter(c *call) (func(string, int32) bool, error) {
	if c.has("topic-partitions") {
		return patternList(c.value("topic-partitions", ""))
	}
	topic, err := javaRegexp(c.value("topic", ".*"))
	if err != nil {
		return nil, err
	}
	var only []int32
	if list := c.value("partitions", ""); list != "" {
		for n := range strings.SplitSeq(list, ",") {
			p, err := strconv.ParseInt(n, 10, 32)
			if err != nil {
				return nil, words.New("--partitions expects a comma separated list of numeric partition ids, but received: %s", list)
			}
			only = append(only, int32(p))
		}
	}
	return func(t string, p int32) bool {
		return topic.MatchString(t) && (len(only) == 0 || slices.Contains(only, p))
	}, nil
}

var rulePattern = regexp.MustCompile(`^([^:,]*)(?::(?:([0-9]*)|([0-9]*)-([0-9]*)))?$`)

func patternList(list string) (func(string, int32) bool, error) {
	type rule struct {
		topic    *regexp.Regexp
		from, to int64 // to is excluded
	}
	var rules []rule
	for spec := range strings.SplitSeq(list, ",") {
		m := rulePattern.FindStringSubmatch(spec)
		if m == nil {
			return nil, words.New("Invalid rule specification: %s", spec)
		}
		r := rule{to: 1 << 31}
		name := m[1]
		if name == "" {
			name = ".*"
		}
		var err error
		if r.topic, err = javaRegexp(name); err != nil {
			return nil, err
		}
		if m[2] != "" {
			r.from, err = strconv.ParseInt(m[2], 10, 32)
			r.to = r.from + 1
		} else {
			var low, high error
			if m[3] != "" {
				r.from, low = strconv.ParseInt(m[3], 10, 32)
			}
			if m[4] != "" {
				r.to, high = strconv.ParseInt(m[4], 10, 32)
			}
			err = errors.Join(low, high)
		}
		if err != nil {
			return nil, words.New("Invalid rule specification: %s", spec)
		}
		rules = append(rules, r)
	}
	return func(t string, p int32) bool {
		return slices.ContainsFunc(rules, func(r rule) bool {
			return r.topic.MatchString(t) && int64(p) >= r.from && int64(p) < r.to
		})
	}, nil
}
