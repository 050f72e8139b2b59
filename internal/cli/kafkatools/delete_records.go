package kafkatools

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/internal/cli/kafkatools/words"
)

func deleteRecordsTool() *tool {
	return &tool{
		name: "kafka-delete-records", about: "Delete the records of partitions below given offsets.",
		options: append(bootstrapOptions(true), option{name: "offset-json-file", arg: "FILE", required: true,
			help: `JSON: {"partitions":[{"topic":"t","partition":0,"offset":9}],"version":1}; offset -1 is the high watermark`}),
		run: deleteRecords,
	}
}

func deleteRecords(ctx context.Context, c *call) error {
	content, err := os.ReadFile(c.value("offset-json-file", ""))
	if err != nil {
		return fmt.Errorf("read the offsets: %w", err)
	}
	below, err := deletionOffsets(content)
	if err != nil {
		return err
	}
	a, client, err := c.admin(ctx, "kafka-delete-records")
	if err != nil {
		return err
	}
	defer client.Close()
	c.printf("Executing records delete operation\n")
	answers, err := a.DeleteRecords(ctx, below)
	if err != nil && len(answers) == 0 {
		return words.Of(err, "")
	}
	c.printf("Records delete operation completed:\n")
	for _, o := range below.Sorted() {
		if _, answered := answers.Lookup(o.Topic, o.Partition); !answered && err != nil {
			c.printf("partition: %s-%d\terror: %s\n", o.Topic, o.Partition, words.WithClass(err, ""))
		}
	}
	for _, r := range answers.Sorted() {
		if r.Err != nil {
			c.printf("partition: %s-%d\terror: %s\n", r.Topic, r.Partition, words.WithClass(r.Err, ""))
			continue
		}
		c.printf("partition: %s-%d\tlow_watermark: %d\n", r.Topic, r.Partition, r.LowWatermark)
	}
	return nil
}

// deletionOffsets reads the file of --offset-json-file.
func deletionOffsets(content []byte) (kadm.Offsets, error) {
	var file struct {
		Version    *int `json:"version"`
		Partitions *[]struct {
			Topic     *string `json:"topic"`
			Partition *int32  `json:"partition"`
			Offset    *int64  `json:"offset"`
		} `json:"partitions"`
	}
	if err := json.Unmarshal(content, &file); err != nil {
		return nil, words.New("The input string is not a valid JSON")
	}
	if file.Version != nil && *file.Version != 1 {
		return nil, words.New("Not supported version field value %d", *file.Version)
	}
	if file.Partitions == nil {
		return nil, words.New("Missing partitions field")
	}
	below := kadm.Offsets{}
	var twice []string
	for _, p := range *file.Partitions {
		if p.Topic == nil || p.Partition == nil || p.Offset == nil {
			return nil, words.New("Each of partitions needs topic, partition and offset")
		}
		if _, seen := below.Lookup(*p.Topic, *p.Partition); seen {
			twice = append(twice, fmt.Sprintf("%s-%d", *p.Topic, *p.Partition))
		}
		below.AddOffset(*p.Topic, *p.Partition, *p.Offset, -1)
	}
	if len(twice) > 0 {
		return nil, words.New("Offset json file contains duplicate topic partitions: %s", strings.Join(twice, ","))
	}
	return below, nil
}
