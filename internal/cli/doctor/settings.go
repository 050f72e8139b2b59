package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ottla/internal/config"
)

func durability(f *Facts) []Finding {
	if why, missing := f.Missing["settings"]; missing {
		return []Finding{skipped("the topics' settings cannot be read: %s", why)}
	}
	weaker := map[string][]string{}
	told := len(f.Topics) == 0
	for _, t := range f.Topics {
		told = told || t.Values["durability"] != ""
		if d := t.Values["durability"]; d != "" && d != "fsync" {
			weaker[d] = append(weaker[d], t.Topic)
		}
	}
	if !told {
		return []Finding{skipped("the server has no setting durability, which is Ottla's: it syncs when it likes")}
	}
	var found []Finding
	for _, d := range []string{"memory", "replicated"} {
		if topics := weaker[d]; len(topics) > 0 {
			slices.Sort(topics)
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("durability=%s: a power cut takes acknowledged records of %s", d, few(topics)),
				Fix: "ottla config set durability=fsync --topic NAME, unless that is meant"})
		}
	}
	if len(found) == 0 {
		found = append(found, well("all of %d topics sync before they acknowledge", len(f.Topics)))
	}
	return found
}

// contradiction is a rule about two settings of one topic.
type contradiction struct {
	bad func(s settingValues) bool
	say func(s settingValues) string
	fix string
}

// settingValues reads numbers and words of one topic.
type settingValues map[string]string

func (s settingValues) number(name string) int64 {
	n, err := strconv.ParseInt(s[name], 10, 64)
	if err != nil {
		return -1
	}
	return n
}

func (s settingValues) policy(word string) bool { return strings.Contains(s["cleanup.policy"], word) }

var rules = []contradiction{
	{func(s settingValues) bool {
		return s.policy("delete") && s.number("retention.ms") > 0 && s.number("segment.ms") > s.number("retention.ms")
	}, func(s settingValues) string {
		return fmt.Sprintf("segment.ms=%s is longer than retention.ms=%s: records stay until their segment ends", s["segment.ms"], s["retention.ms"])
	}, "lower segment.ms to retention.ms or less"},
	{func(s settingValues) bool {
		return s.policy("delete") && s.number("retention.bytes") > 0 && s.number("segment.bytes") > s.number("retention.bytes")
	}, func(s settingValues) string {
		return fmt.Sprintf("segment.bytes=%s is more than retention.bytes=%s: the partition grows to the larger", s["segment.bytes"], s["retention.bytes"])
	}, "lower segment.bytes below retention.bytes"},
	{func(s settingValues) bool {
		return s.number("segment.bytes") > 0 && s.number("max.message.bytes") > s.number("segment.bytes")
	}, func(s settingValues) string {
		return fmt.Sprintf("max.message.bytes=%s is more than segment.bytes=%s: a batch larger than a segment is refused", s["max.message.bytes"], s["segment.bytes"])
	}, "raise segment.bytes above max.message.bytes"},
	{func(s settingValues) bool {
		return s.number("min.compaction.lag.ms") > s.number("max.compaction.lag.ms") && s.number("max.compaction.lag.ms") > 0
	}, func(s settingValues) string {
		return fmt.Sprintf("min.compaction.lag.ms=%s is more than max.compaction.lag.ms=%s", s["min.compaction.lag.ms"], s["max.compaction.lag.ms"])
	}, "lower min.compaction.lag.ms"},
}

// contradictions applies the rules to settings of which at least one was set on
// the topic itself: defaults are nobody's mistake.
func contradictions(f *Facts) []Finding {
	if why, missing := f.Missing["settings"]; missing {
		return []Finding{skipped("the topics' settings cannot be read: %s", why)}
	}
	var found []Finding
	for _, t := range f.Topics {
		if !slices.Contains(slices.Collect(values(t.Own)), true) {
			continue
		}
		for _, r := range rules {
			if r.bad(t.Values) {
				found = append(found, Finding{Status: Warn, Evidence: t.Topic + ": " + r.say(t.Values), Fix: r.fix + " (ottla config set … --topic " + t.Topic + ")"})
			}
		}
		for _, name := range []string{"retention.ms", "retention.bytes"} {
			if t.Own[name] && !settingValues(t.Values).policy("delete") {
				found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("%s: %s=%s has no effect with cleanup.policy=%s", t.Topic, name, t.Values[name], t.Values["cleanup.policy"]),
					Fix: "ottla config set cleanup.policy=compact,delete --topic " + t.Topic + ", or unset " + name})
			}
		}
	}
	return found
}

func values[K comparable, V any](m map[K]V) func(func(V) bool) {
	return func(yield func(V) bool) {
		for _, v := range m {
			if !yield(v) {
				return
			}
		}
	}
}

func withoutEffect(f *Facts) []Finding {
	if why, missing := f.Missing["settings"]; missing {
		return []Finding{skipped("the topics' settings cannot be read: %s", why)}
	}
	var found []Finding
	for _, t := range f.Topics {
		var dead []string
		for name, own := range t.Own {
			if d := config.Lookup(config.ScopeTopic, name); own && d != nil && !d.Acts {
				dead = append(dead, name)
			}
		}
		if len(dead) > 0 {
			slices.Sort(dead)
			found = append(found, Finding{Status: Warn, Evidence: fmt.Sprintf("%s: %s", t.Topic, few(dead)), Fix: "\"ottla explain " + dead[0] + "\" says what it is; unset it to be clear"})
		}
	}
	return found
}
