package kafkatools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/cli/kafkatools/words"
)

func logDirsTool() *tool {
	return &tool{
		name: "kafka-log-dirs", about: "Show how much each partition takes in the log directories of brokers, as JSON.",
		options: append(bootstrapOptions(true),
			option{name: "describe", required: true, help: "describe the log directories"},
			option{name: "topic-list", arg: "NAME,...", help: "only these topics"},
			option{name: "broker-list", arg: "ID,...", help: "only these brokers"},
		),
		run: describeLogDirs,
	}
}

// The JSON of the tool; the names and their order are Kafka's.
type (
	logDirsReport struct {
		Brokers []logDirsBroker `json:"brokers"`
		Version int             `json:"version"`
	}
	logDirsBroker struct {
		Broker  int32     `json:"broker"`
		LogDirs []*logDir `json:"logDirs"`
	}
	logDir struct {
		Partitions []logDirPartition `json:"partitions"`
		Error      *string           `json:"error"`
		LogDir     string            `json:"logDir"`
	}
	logDirPartition struct {
		Partition string `json:"partition"`
		Size      int64  `json:"size"`
		OffsetLag int64  `json:"offsetLag"`
		IsFuture  bool   `json:"isFuture"`
	}
)

func describeLogDirs(ctx context.Context, c *call) error {
	a, client, err := c.admin(ctx, "log-dirs-tool")
	if err != nil {
		return err
	}
	defer client.Close()
	all, err := a.ListBrokers(ctx)
	if err != nil {
		return words.Of(err, "")
	}
	brokers, missing, err := chosenBrokers(c.value("broker-list", ""), all.NodeIDs())
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		fmt.Fprintf(c.err, "ERROR: The given brokers do not exist from --broker-list: %s. Current existent brokers: %s\n", ids(missing), ids(all.NodeIDs()))
		return errReported
	}
	c.printf("Querying brokers for log directories information\n")
	report := logDirsReport{Brokers: []logDirsBroker{}, Version: 1}
	for _, id := range brokers {
		dirs, err := logDirsOf(ctx, client, id, c.value("topic-list", ""))
		if err != nil {
			return err
		}
		report.Brokers = append(report.Brokers, logDirsBroker{Broker: id, LogDirs: dirs})
	}
	text, err := json.Marshal(report)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	c.printf("Received log directory information from brokers %s\n%s\n", ids(brokers), text)
	return nil
}

func chosenBrokers(list string, all []int32) (chosen, missing []int32, err error) {
	for word := range strings.SplitSeq(list, ",") {
		if word == "" {
			continue
		}
		id, err := strconv.ParseInt(word, 10, 32)
		if err != nil {
			return nil, nil, words.New("For input string: \"%s\"", word)
		}
		if slices.Contains(all, int32(id)) {
			chosen = append(chosen, int32(id))
		} else {
			missing = append(missing, int32(id))
		}
	}
	if len(chosen) == 0 {
		chosen = all
	}
	return chosen, missing, nil
}

func logDirsOf(ctx context.Context, client *kgo.Client, broker int32, topicList string) ([]*logDir, error) {
	resp, err := client.Broker(int(broker)).RetriableRequest(ctx, kmsg.NewPtrDescribeLogDirsRequest())
	if err != nil {
		return nil, words.Of(err, "")
	}
	var topics []string
	if topicList != "" {
		topics = strings.Split(topicList, ",")
	}
	out := []*logDir{}
	for _, d := range resp.(*kmsg.DescribeLogDirsResponse).Dirs {
		dir := &logDir{LogDir: d.Dir, Partitions: []logDirPartition{}}
		if err := kerr.ErrorForCode(d.ErrorCode); err != nil {
			class := strings.SplitN(words.WithClass(err, ""), ":", 2)[0]
			dir.Error = &class
		}
		for _, t := range d.Topics {
			if topics != nil && !slices.Contains(topics, t.Topic) {
				continue
			}
			for _, p := range t.Partitions {
				dir.Partitions = append(dir.Partitions, logDirPartition{fmt.Sprintf("%s-%d", t.Topic, p.Partition), p.Size, p.OffsetLag, p.IsFuture})
			}
		}
		slices.SortFunc(dir.Partitions, func(a, b logDirPartition) int { return strings.Compare(a.Partition, b.Partition) })
		out = append(out, dir)
	}
	slices.SortFunc(out, func(a, b *logDir) int { return strings.Compare(a.LogDir, b.LogDir) })
	return out, nil
}
