package kafkatools

import (
	"errors"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
)

// oddClasses are the Java exceptions whose names do not follow from the name of
// their error code.
var oddClasses = map[string]string{
	"UNKNOWN_SERVER_ERROR": "UnknownServerException", "MESSAGE_TOO_LARGE": "RecordTooLargeException",
	"REQUEST_TIMED_OUT": "TimeoutException", "TOPIC_ALREADY_EXISTS": "TopicExistsException",
	"INVALID_CONFIG": "InvalidConfigurationException", "RECORD_LIST_TOO_LARGE": "RecordBatchTooLargeException",
	"INVALID_TOPIC_EXCEPTION": "InvalidTopicException", "KAFKA_STORAGE_ERROR": "KafkaStorageException",
	"REASSIGNMENT_IN_PROGRESS": "ReassignmentInProgressException", "ILLEGAL_SASL_STATE": "IllegalSaslStateException",
	"OUT_OF_ORDER_SEQUENCE_NUMBER": "OutOfOrderSequenceException", "TRANSACTIONAL_ID_NOT_FOUND": "TransactionalIdNotFoundException",
}

// withClass is an error as Java prints one in full: its class and its text.
func withClass(err error, message string) string {
	var k *kerr.Error
	if tooOld(err) {
		k = kerr.UnsupportedVersion
	} else if !errors.As(err, &k) {
		return plain(err, message)
	}
	class, odd := oddClasses[k.Message]
	if !odd {
		var b strings.Builder
		for word := range strings.SplitSeq(strings.ToLower(k.Message), "_") {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
		class = b.String() + "Exception"
	}
	return "org.apache.kafka.common.errors." + class + ": " + plain(err, message)
}
