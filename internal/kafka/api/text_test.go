package api

import (
	"testing"

	"ottla/internal/wire"
)

func TestCodesHaveTheTextThatKafkaSends(t *testing.T) {
	for code, want := range map[wire.Code]string{
		wire.None:                    "",
		wire.UnknownTopicOrPartition: "This server does not host this topic-partition.",
		wire.ElectionNotNeeded:       "Leader election not needed for topic partition.",
		wire.UnknownTopicID:          "This server does not host this topic ID.",
		wire.Code(-77):               "",
		wire.Code(9999):              "",
	} {
		if got := KafkaText(code); got != want {
			t.Errorf("code %d: got %q, want %q", code, got, want)
		}
	}
}
