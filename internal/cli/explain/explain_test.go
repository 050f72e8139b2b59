package explain

import (
	"slices"
	"strings"
	"testing"

	"ottla/internal/config"
	"ottla/internal/wire"
)

func TestErrorsAreFoundByEverySpelling(t *testing.T) {
	for word, want := range map[string]wire.Code{
		"3": wire.UnknownTopicOrPartition, "-1": wire.UnknownServerError, "0": wire.None, "unknown_topic_or_partition": wire.UnknownTopicOrPartition,
		"unknown-topic-or-partition": wire.UnknownTopicOrPartition, "UnknownTopicOrPartitionException": wire.UnknownTopicOrPartition,
		"org.apache.kafka.common.errors.RecordTooLargeException": wire.MessageTooLarge, "TopicExistsException": wire.TopicAlreadyExists,
		"INVALID_TOPIC_EXCEPTION": wire.InvalidTopic, "InvalidTopicException": wire.InvalidTopic, "TimeoutException": wire.RequestTimedOut,
	} {
		e, ok := FindError(word)
		if !ok || wire.Code(e.Code) != want || e.Name != want.Name() || e.Meaning == "" {
			t.Errorf("%s: got %+v, want %s", word, e, want.Name())
		}
	}
	for _, word := range []string{"", "137", "99999", "NOPE", "Exception"} {
		if e, ok := FindError(word); ok {
			t.Errorf("%q gave %+v", word, e)
		}
	}
}

func TestEveryCodeIsExplained(t *testing.T) {
	all := Errors()
	if last := all[len(all)-1]; last.Code != 136 || len(all) != 138 {
		t.Errorf("%d codes up to %d, want 138 up to 136", len(all), last.Code)
	}
	for _, e := range all {
		if e.Meaning == "" {
			t.Errorf("%s has no meaning", e.Name)
		}
	}
}

func TestAdviceSaysWhatToDo(t *testing.T) {
	for code, a := range advice {
		if len(a.mends) == 0 {
			t.Errorf("%s has causes and no mend", code.Name())
		}
		for _, line := range append(slices.Clone(a.causes), a.mends...) {
			if line == "" || strings.HasSuffix(line, ".") || len(line) > 180 {
				t.Errorf("%s: %q is empty, too long or ends in a full stop", code.Name(), line)
			}
		}
	}
}

func TestSettingsOfAllScopesAreFound(t *testing.T) {
	if got := FindSettings("retention.ms"); len(got) != 1 || got[0].Scope != config.ScopeTopic {
		t.Errorf("retention.ms: %v", got)
	}
	if got := FindSettings("min.insync.replicas"); len(got) != 2 {
		t.Errorf("min.insync.replicas: found in %d scopes, want topic and broker", len(got))
	}
	if got := FindSettings("no.such"); got != nil {
		t.Errorf("no.such: %v", got)
	}
}

func TestMistypedWordsFindTheNearest(t *testing.T) {
	for word, want := range map[string]string{"retention.m": "retention.ms", "topic_exists": "", "OFFSET_OUT": "OFFSET_OUT_OF_RANGE", "": ""} {
		if got := Nearest(word); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestWordsAreSortedAndUnique(t *testing.T) {
	words := Words()
	if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) || !slices.Contains(words, "retention.ms") || !slices.Contains(words, "OFFSET_OUT_OF_RANGE") {
		t.Errorf("%d words, sorted %v", len(words), slices.IsSorted(words))
	}
}
