package settings

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/words"
)

// consumerKnown are the settings of Kafka's consumer that have an effect here,
// or stand for how this client works anyway.
var consumerKnown = map[string]bool{
	"bootstrap.servers": true, "client.id": true, "group.id": true, "group.instance.id": true, "auto.offset.reset": true,
	"enable.auto.commit": true, "auto.commit.interval.ms": true, "isolation.level": true, "client.rack": true,
	"fetch.min.bytes": true, "fetch.max.bytes": true, "fetch.max.wait.ms": true, "max.partition.fetch.bytes": true,
	"session.timeout.ms": true, "heartbeat.interval.ms": true, "max.poll.records": true, "request.timeout.ms": true,
	"receive.buffer.bytes": true, "check.crcs": true, "metadata.max.age.ms": true, "security.protocol": true,
	"key.deserializer": true, "value.deserializer": true, "allow.auto.create.topics": true,
}

// Consumer turns a consumer's settings into options of our client,
// without what it consumes.
func Consumer(p Properties, errOut io.Writer) ([]kgo.Opt, error) {
	for _, k := range p.unknownTo(consumerKnown) {
		fmt.Fprintf(errOut, "The configuration '%s' has no effect here.\n", k)
	}
	opts := []kgo.Opt{kgo.UnknownTopicRetries(-1)}
	if !strings.EqualFold(p["allow.auto.create.topics"], "false") {
		opts = append(opts, kgo.AllowAutoTopicCreation())
	}
	switch p["isolation.level"] {
	case "", "read_uncommitted":
	case "read_committed":
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	default:
		return nil, words.New("Invalid value %s for configuration isolation.level: String must be one of: read_committed, read_uncommitted", p["isolation.level"])
	}
	reset, err := resetOf(p["auto.offset.reset"])
	if err != nil {
		return nil, err
	}
	opts = append(opts, kgo.ConsumeResetOffset(reset))
	size := func(n int64) int32 { return int32(min(max(n, 1), math.MaxInt32)) }
	for _, n := range []struct {
		name string
		set  func(int64) kgo.Opt
	}{
		{"fetch.min.bytes", func(n int64) kgo.Opt { return kgo.FetchMinBytes(size(n)) }},
		{"fetch.max.bytes", func(n int64) kgo.Opt { return kgo.FetchMaxBytes(size(n)) }},
		{"max.partition.fetch.bytes", func(n int64) kgo.Opt { return kgo.FetchMaxPartitionBytes(size(n)) }},
		{"fetch.max.wait.ms", func(n int64) kgo.Opt { return kgo.FetchMaxWait(time.Duration(n) * time.Millisecond) }},
	} {
		if p[n.name] == "" {
			continue
		}
		v, err := p.Integer(n.name, 0)
		if err != nil {
			return nil, err
		}
		opts = append(opts, n.set(v))
	}
	return opts, nil
}

// Group gives the options those of a consumer in a group.
func Group(p Properties) ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.ConsumerGroup(p["group.id"])}
	if p["group.instance.id"] != "" {
		opts = append(opts, kgo.InstanceID(p["group.instance.id"]))
	}
	if strings.EqualFold(p["enable.auto.commit"], "false") {
		opts = append(opts, kgo.DisableAutoCommit())
	} else {
		opts = append(opts, kgo.AutoCommitMarks())
	}
	for name, set := range map[string]func(time.Duration) kgo.GroupOpt{
		"session.timeout.ms": kgo.SessionTimeout, "heartbeat.interval.ms": kgo.HeartbeatInterval, "auto.commit.interval.ms": kgo.AutoCommitInterval,
	} {
		ms, err := p.Integer(name, 0)
		if err != nil {
			return nil, err
		}
		if ms > 0 {
			opts = append(opts, set(time.Duration(ms)*time.Millisecond))
		}
	}
	return opts, nil
}

func resetOf(word string) (kgo.Offset, error) {
	switch word {
	case "latest", "":
		return kgo.NewOffset().AtEnd(), nil
	case "earliest":
		return kgo.NewOffset().AtStart(), nil
	case "none":
		return kgo.NoResetOffset(), nil
	}
	return kgo.Offset{}, words.New("Invalid value %s for configuration auto.offset.reset: it takes earliest, latest or none", word)
}
