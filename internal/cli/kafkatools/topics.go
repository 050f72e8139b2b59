package kafkatools

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
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

// topicActions are the options of which exactly one is given.
var topicActions = []string{"list", "describe", "create", "alter", "delete"}

func topicsTool() *tool {
	return &tool{
		name: "kafka-topics", about: "Create, delete, describe or grow topics.",
		options: append(bootstrapOptions(false),
			option{name: "list", help: "list all topics"},
			option{name: "describe", help: "show partitions and settings of topics"},
			option{name: "create", help: "create a topic"},
			option{name: "alter", help: "add partitions to topics"},
			option{name: "delete", help: "delete topics"},
			option{name: "topic", arg: "NAME", help: "the topic; a regular expression except with --create"},
			option{name: "topic-id", arg: "ID", help: "the topic to describe, by id"},
			option{name: "config", arg: "NAME=VALUE", many: true, help: "a setting of the topic to create, may be repeated"},
			option{name: "delete-config", arg: "NAME", many: true, help: "has no effect since Kafka 4.0; use kafka-configs"},
			option{name: "partitions", arg: "N", help: "how many partitions to create, or to grow to"},
			option{name: "replication-factor", arg: "N", help: "how many replicas each partition gets"},
			option{name: "replica-assignment", arg: "ID:ID,ID:ID", help: "brokers of each partition, partitions apart by commas"},
			option{name: "under-replicated-partitions", help: "describe only partitions with replicas out of sync"},
			option{name: "unavailable-partitions", help: "describe only partitions without a live leader"},
			option{name: "under-min-isr-partitions", help: "describe only partitions with fewer replicas in sync than min.insync.replicas"},
			option{name: "at-min-isr-partitions", help: "describe only partitions with exactly min.insync.replicas in sync"},
			option{name: "topics-with-overrides", help: "describe only topics with settings of their own"},
			option{name: "if-exists", help: "a topic that is not there is no error"},
			option{name: "if-not-exists", help: "a topic that is there already is no error"},
			option{name: "exclude-internal", help: "leave internal topics out"},
			option{name: "partition-size-limit-per-response", arg: "N", help: "accepted; one answer holds all partitions here"},
		),
		check: checkTopics, run: runTopics,
		failed: func(c *call, err error) {
			if c.flags == nil || !c.has("bootstrap-server") {
				fmt.Fprintln(c.err, err)
				return
			}
			c.printf("Error while executing topic command : %v\n", err)
		},
	}
}

func checkTopics(c *call) error {
	actions := 0
	for _, a := range topicActions {
		if c.has(a) {
			actions++
		}
	}
	if actions != 1 {
		return usagef("Command must include exactly one action: --list, --describe, --create, --alter or --delete")
	}
	if c.has("delete-config") {
		fmt.Fprintln(c.err, "delete-config option is no longer supported and deprecated since version 4.0. The config will be fully removed in future releases.")
	}
	switch {
	case !c.has("bootstrap-server"):
		return words.New("--bootstrap-server must be specified")
	case c.has("describe") && c.has("if-exists") && !c.any("topic", "topic-id"):
		return usagef("--topic or --topic-id is required to describe a topic")
	case !c.any("list", "describe") && !c.has("topic"):
		return usagef("Missing required argument \"[topic]\"")
	case c.has("alter") && c.has("config"):
		return usagef("Option combination \"[bootstrap-server],[config]\" can't be used with option \"[alter]\" (the kafka-configs tool alters settings)")
	case c.has("alter") && !c.has("partitions"):
		return usagef("Missing required argument \"[partitions]\"")
	}
	return checkTopicCombinations(c)
}

// checkTopicCombinations refuses options that mean nothing together.
func checkTopicCombinations(c *call) error {
	reports := []string{"under-replicated-partitions", "unavailable-partitions", "under-min-isr-partitions", "at-min-isr-partitions", "topics-with-overrides"}
	allowed := map[string][]string{
		"config": {"create"}, "partitions": {"alter", "create"}, "replication-factor": {"create"},
		"replica-assignment": {"alter", "create"}, "if-exists": {"alter", "delete", "describe"}, "if-not-exists": {"create"},
		"exclude-internal": {"list", "describe"},
	}
	for _, r := range reports {
		allowed[r] = []string{"describe"}
	}
	for _, o := range c.options {
		only, bounded := allowed[o.name]
		if !bounded || !c.has(o.name) {
			continue
		}
		for _, action := range topicActions {
			if c.has(action) && !slices.Contains(only, action) {
				return usagef("Option \"[%s]\" can't be used with option \"[%s]\"", o.name, action)
			}
		}
	}
	if c.has("create") && c.has("replica-assignment") && c.any("partitions", "replication-factor") {
		return usagef("Option \"[replica-assignment]\" can't be used with option \"[%s]\"", map[bool]string{true: "partitions", false: "replication-factor"}[c.has("partitions")])
	}
	given := 0
	for _, r := range reports {
		if c.has(r) {
			given++
		}
	}
	if given > 1 {
		return usagef("Only one of %s can be given", "--"+strings.Join(reports, ", --"))
	}
	return nil
}

func runTopics(ctx context.Context, c *call) error {
	a, client, err := c.admin(ctx, "kafka-topics")
	if err != nil {
		return err
	}
	defer client.Close()
	switch {
	case c.has("create"):
		return createTopic(ctx, c, client)
	case c.has("alter"):
		return growTopics(ctx, c, client, a)
	case c.has("describe"):
		return describeTopics(ctx, c, client, a)
	case c.has("delete"):
		return deleteTopics(ctx, c, a)
	}
	topics, err := c.matchingTopics(ctx, a, false)
	if err != nil {
		return err
	}
	c.printf("%s\n", strings.Join(topics, "\n"))
	return nil
}

// matchingTopics lists the names that --topic matches, sorted. When mustExist,
// a --topic that matches none is an error unless --if-exists was given.
func (c *call) matchingTopics(ctx context.Context, a *kadm.Client, mustExist bool) ([]string, error) {
	all, err := a.ListTopicsWithInternal(ctx)
	if err != nil {
		return nil, words.Of(err, "")
	}
	pattern, err := javaRegexp(c.value("topic", ".*"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, d := range all.Sorted() {
		if (!c.has("exclude-internal") || !d.IsInternal) && pattern.MatchString(d.Topic) {
			out = append(out, d.Topic)
		}
	}
	if mustExist && len(out) == 0 && c.value("topic", "") != "" && !c.has("if-exists") {
		return nil, words.New("Topic '%s' does not exist as expected", c.value("topic", ""))
	}
	return out, nil
}

// javaRegexp compiles a list of topics as Kafka's IncludeList does: commas mean
// or, quotes around it go, and the whole name must match.
func javaRegexp(text string) (*regexp.Regexp, error) {
	cleaned := strings.ReplaceAll(strings.ReplaceAll(strings.Trim(strings.TrimSpace(text), `"'`), " ", ""), ",", "|")
	re, err := regexp.Compile("^(?:" + cleaned + ")$")
	if err != nil {
		return nil, words.New("%s is an invalid regex.", text)
	}
	return re, nil
}

func createTopic(ctx context.Context, c *call, client *kgo.Client) error {
	name := c.value("topic", "")
	partitions, err := c.integer("partitions", -1)
	if err != nil {
		return err
	}
	replicas, err := c.integer("replication-factor", -1)
	if err != nil {
		return err
	}
	t := kmsg.NewCreateTopicsRequestTopic()
	t.Topic, t.NumPartitions, t.ReplicationFactor = name, int32(partitions), int16(replicas)
	if err := topicSettings(c, &t); err != nil {
		return err
	}
	if t.ReplicaAssignment, err = replicaAssignment(c.value("replica-assignment", "")); err != nil {
		return err
	}
	if strings.ContainsAny(name, "._") {
		c.printf("WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could collide. To avoid issues it is best to use either, but not both.\n")
	}
	switch {
	case c.has("replication-factor") && (replicas < 1 || replicas > math.MaxInt16):
		return words.New("The replication factor must be between 1 and %d inclusive", math.MaxInt16)
	case c.has("partitions") && partitions < 1:
		return words.New("The partitions must be greater than 0")
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.TimeoutMillis = int32(requestTimeout.Milliseconds())
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return words.Of(err, "")
	}
	for _, r := range resp.Topics {
		err := kerr.ErrorForCode(r.ErrorCode)
		if err == kerr.TopicAlreadyExists && c.has("if-not-exists") {
			return nil
		}
		if err != nil {
			return words.Of(err, orEmpty(r.ErrorMessage))
		}
	}
	c.printf("Created topic %s.\n", name)
	return nil
}

// topicSettings reads --config.
func topicSettings(c *call, t *kmsg.CreateTopicsRequestTopic) error {
	for _, kv := range c.values("config") {
		k, v, ok := strings.Cut(kv, "=")
		if !ok || strings.TrimSpace(k) == "" || v == "" {
			return words.New("requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\".")
		}
		v = strings.TrimSpace(v)
		set := kmsg.NewCreateTopicsRequestTopicConfig()
		set.Name, set.Value = strings.TrimSpace(k), &v
		t.Configs = append(t.Configs, set)
	}
	return nil
}

// replicaAssignment reads 1:2,2:3, one list of brokers a partition.
func replicaAssignment(list string) ([]kmsg.CreateTopicsRequestTopicReplicaAssignment, error) {
	if list == "" {
		return nil, nil
	}
	var out []kmsg.CreateTopicsRequestTopicReplicaAssignment
	for i, brokers := range strings.Split(list, ",") {
		p := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		p.Partition = int32(i)
		for _, b := range strings.Split(brokers, ":") {
			id, err := strconv.ParseInt(strings.TrimSpace(b), 10, 32)
			if err != nil {
				return nil, words.New("For input string: \"%s\"", strings.TrimSpace(b))
			}
			if slices.Contains(p.Replicas, int32(id)) {
				return nil, words.New("Partition replica lists may not contain duplicate entries: %d", id)
			}
			p.Replicas = append(p.Replicas, int32(id))
		}
		if i > 0 && len(p.Replicas) != len(out[0].Replicas) {
			return nil, words.New("Partition %d has different replication factor: %v", i, p.Replicas)
		}
		out = append(out, p)
	}
	return out, nil
}

func growTopics(ctx context.Context, c *call, client *kgo.Client, a *kadm.Client) error {
	topics, err := c.matchingTopics(ctx, a, true)
	if err != nil || len(topics) == 0 {
		return err
	}
	n, err := c.integer("partitions", 0)
	if err != nil {
		return err
	}
	assigned, err := replicaAssignment(c.value("replica-assignment", ""))
	if err != nil {
		return err
	}
	now, err := a.ListTopicsWithInternal(ctx, topics...)
	if err != nil {
		return words.Of(err, "")
	}
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.TimeoutMillis = int32(requestTimeout.Milliseconds())
	for _, name := range topics {
		t := kmsg.NewCreatePartitionsRequestTopic()
		t.Topic, t.Count = name, int32(n)
		for _, p := range assigned[min(len(now[name].Partitions), len(assigned)):] {
			r := kmsg.NewCreatePartitionsRequestTopicAssignment()
			r.Replicas = p.Replicas
			t.Assignment = append(t.Assignment, r)
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, client)
	if err != nil {
		return words.Of(err, "")
	}
	for _, r := range resp.Topics {
		if err := words.Of(kerr.ErrorForCode(r.ErrorCode), orEmpty(r.ErrorMessage)); err != nil {
			return err
		}
	}
	return nil
}

func deleteTopics(ctx context.Context, c *call, a *kadm.Client) error {
	topics, err := c.matchingTopics(ctx, a, true)
	if err != nil || len(topics) == 0 {
		return err
	}
	answers, err := a.DeleteTopics(ctx, topics...)
	if err != nil {
		return words.Of(err, "")
	}
	for _, r := range answers.Sorted() {
		if err := words.Of(r.Err, r.ErrMessage); err != nil {
			return err
		}
	}
	return nil
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// topicID is an id as Kafka prints it.
func topicID(id [16]byte) string { return base64.RawURLEncoding.EncodeToString(id[:]) }
