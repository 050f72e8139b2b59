package api

import (
	"errors"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"

	"ottla/internal/wire"
)

// KafkaText is the text that Kafka's own clients put with a code. Where Kafka
// sends that text instead of leaving the message null, so do we: its tools
// print what comes. "" for None and for codes that Kafka does not have. The
// words are those of package kerr, which leaves a last full stop out here and
// there.
func KafkaText(code wire.Code) string {
	var known *kerr.Error
	if !errors.As(kerr.ErrorForCode(int16(code)), &known) || known.Code != int16(code) {
		return ""
	}
	return strings.TrimSuffix(known.Description, ".") + "."
}
