package ask

import (
	"context"
	"errors"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/cli/fail"
)

// ErrUnknownTopic is what Kafka says of a topic that is not there.
var ErrUnknownTopic = kerr.UnknownTopicOrPartition

// Offsets are where the partitions of topics begin and end.
func Offsets(ctx context.Context, a *kadm.Client, names ...string) (starts, ends kadm.ListedOffsets, err error) {
	starts, err = a.ListStartOffsets(ctx, names...)
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil, KafkaFailure("cannot read the start offsets", err)
	}
	ends, err = a.ListEndOffsets(ctx, names...)
	if err != nil && !errors.Is(err, kerr.UnknownTopicOrPartition) {
		return nil, nil, KafkaFailure("cannot read the end offsets", err)
	}
	return starts, ends, nil
}

// TopicFailure words a failure about one topic, with the next step where there
// is one.
func TopicFailure(what, name string, err error, message string) error {
	f := &fail.Failure{Code: fail.Failed, What: what, Why: err.Error(), Cause: err}
	var k *kerr.Error
	if errors.As(err, &k) {
		f.KafkaError, f.Code, f.Why = k.Message, exitOf(k), detail(err, k)
	}
	if message != "" {
		f.Why = message
	}
	switch f.KafkaError {
	case "UNKNOWN_TOPIC_OR_PARTITION":
		f.Why = "there is no topic " + name
		f.Next = "\"ottla topic list\" shows what there is, \"ottla topic create " + name + "\" makes it"
	case "TOPIC_ALREADY_EXISTS":
		f.Next = "\"ottla topic describe " + name + "\" shows it; --if-not-exists makes this no error"
	case "INVALID_CONFIG":
		f.Next = "\"ottla config list --topic " + name + "\" shows the settings and their values"
	}
	return f
}

// KafkaName is Kafka's name of an error; empty where it has none.
func KafkaName(err error) string {
	var k *kerr.Error
	if errors.As(err, &k) {
		return k.Message
	}
	return ""
}
