// Package words says errors as Kafka's tools say them: the server's own
// message, or the code's text, with the Java exception's class where Kafka
// prints it. It decides nothing about exit codes or where text goes.
package words

import (
	"errors"
	"fmt"
	"strconv"
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

// WithClass is an error as Java prints one in full: its class and its text.
func WithClass(err error, message string) string {
	var k *kerr.Error
	if TooOld(err) {
		k = kerr.UnsupportedVersion
	} else if !errors.As(err, &k) {
		return Plain(err, message)
	}
	class, odd := oddClasses[k.Message]
	if !odd {
		var b strings.Builder
		for word := range strings.SplitSeq(strings.ToLower(k.Message), "_") {
			b.WriteString(strings.ToUpper(word[:1]) + word[1:])
		}
		class = b.String() + "Exception"
	}
	return "org.apache.kafka.common.errors." + class + ": " + Plain(err, message)
}

// Plain is an error's text as Kafka's tools print it: the server's message, or
// the code's own text, without the code's name.
func Plain(err error, message string) string {
	var k *kerr.Error
	switch {
	case message != "":
		return message
	case TooOld(err):
		return "The server does not serve this request."
	case errors.As(err, &k):
		return k.Description
	}
	return err.Error()
}

// Of makes an error of an answer's code and message, nil when there is none.
func Of(err error, message string) error {
	if err == nil {
		return nil
	}
	return &answered{cause: err, text: Plain(err, message)}
}

// answered is an error that a server sent, shown by its text alone.
type answered struct {
	cause error
	text  string
}

// Error is the answer in the words of Kafka's tools.
func (a *answered) Error() string { return a.text }

// Unwrap is the error as the client gave it.
func (a *answered) Unwrap() error { return a.cause }

// New is an error whose text begins as Kafka's does, with a capital.
func New(format string, args ...any) error {
	return &answered{text: fmt.Sprintf(format, args...)}
}

// TooOld tells whether the server serves no version of a request; the client
// finds that out before it sends, with an error of its own.
func TooOld(err error) bool {
	return errors.Is(err, kerr.UnsupportedVersion) || err != nil && strings.Contains(err.Error(), "broker is too old")
}

// JavaDouble prints a number as Java does: always with a point.
func JavaDouble(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}
