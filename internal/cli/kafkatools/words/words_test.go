package words

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
)

func TestErrorsAreSaidAsKafkaSaysThem(t *testing.T) {
	for _, c := range []struct {
		err     error
		message string
		plain   string
		class   string
	}{
		{kerr.OffsetOutOfRange, "", kerr.OffsetOutOfRange.Description, "OffsetOutOfRangeException"},
		{fmt.Errorf("ask: %w", kerr.TopicAlreadyExists), "Topic 't' already exists.", "Topic 't' already exists.", "TopicExistsException"},
		{kerr.InvalidConfig, "bad", "bad", "InvalidConfigurationException"}, {kerr.RequestTimedOut, "late", "late", "TimeoutException"},
		{kerr.UnknownTopicOrPartition, "gone", "gone", "UnknownTopicOrPartitionException"},
	} {
		if got := Plain(c.err, c.message); got != c.plain {
			t.Errorf("Plain(%v): got %q, want %q", c.err, got, c.plain)
		}
		if got, want := WithClass(c.err, c.message), "org.apache.kafka.common.errors."+c.class+": "+c.plain; got != want {
			t.Errorf("WithClass(%v): got %q, want %q", c.err, got, want)
		}
	}
	if got := WithClass(errors.New("x"), ""); got != "x" {
		t.Errorf("an error that is not Kafka's: got %q", got)
	}
}

func TestAnAnsweredErrorKeepsItsCode(t *testing.T) {
	err := Of(kerr.InvalidConfig, "nope")
	if err.Error() != "nope" || !errors.Is(err, kerr.InvalidConfig) {
		t.Errorf("got %v", err)
	}
	if Of(nil, "x") != nil {
		t.Error("no error became one")
	}
}

func TestServersThatAreTooOldAreKnown(t *testing.T) {
	for err, want := range map[error]bool{
		kerr.UnsupportedVersion: true, kerr.InvalidConfig: false, errors.New("broker is too old; it will not know"): true,
	} {
		if TooOld(err) != want {
			t.Errorf("TooOld(%v) = %v", err, !want)
		}
	}
}

func TestNumbersAreShownAsJavaDoubles(t *testing.T) {
	for v, want := range map[float64]string{1: "1.0", 2.5: "2.5", 0: "0.0", -3: "-3.0"} {
		if got := JavaDouble(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}
