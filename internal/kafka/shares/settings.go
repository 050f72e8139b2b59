package shares

import (
	"strconv"
	"strings"
	"sync"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/metadata"
	"ottla/internal/partition"
	"ottla/internal/share"
)

// settingsCache keeps what was read of groups' settings while the metadata
// stay as they are.
type settingsCache struct {
	mu    sync.Mutex // guards all below
	image *metadata.Image
	of    map[string]lead.Settings
}

// settings are what holds for a group at this moment.
func (f *Family) settings(group string) lead.Settings {
	image := f.d.Cluster.Image()
	c := &f.cached
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.image != image || c.of == nil {
		c.image, c.of = image, map[string]lead.Settings{}
	}
	s, ok := c.of[group]
	if !ok {
		s = f.readSettings(image, group)
		c.of[group] = s
	}
	return s
}

func (f *Family) readSettings(image *metadata.Image, group string) lead.Settings {
	v := f.d.View
	number := func(name string) int64 { return v.GroupInt(image, group, name) }
	s := lead.Settings{
		Settings: share.Settings{
			LockMs: number("share.record.lock.duration.ms"), Attempts: int16(min(number("share.delivery.count.limit"), 1<<15-1)),
			MaxLocked: int(number("share.partition.max.record.locks")), KeyOrdered: v.GroupBool(image, group, "share.key.ordering"),
			RetryMs: number("share.retry.backoff.ms"), RetryMaxMs: number("share.retry.backoff.max.ms"), RetryFactor: 1,
		},
		Reset: resetOf(v.GroupString(image, group, "share.auto.offset.reset")),
		Renew: v.GroupBool(image, group, "share.renew.acknowledge.enable"),
	}
	if factor, err := strconv.ParseFloat(v.GroupString(image, group, "share.retry.backoff.factor"), 64); err == nil && factor >= 1 {
		s.RetryFactor = factor
	}
	s.DeadTopic = v.GroupString(image, group, "errors.deadletterqueue.topic.name")
	s.DeadLetter = s.DeadTopic != "" && image.FeatureLevel(metadata.ShareVersion) >= 2
	s.DeadWhole = v.GroupBool(image, group, copyEnable) || !v.GroupSets(image, group, copyEnable)
	if v.GroupString(image, group, "share.isolation.level") == "read_committed" {
		s.Isolation = partition.ReadCommitted
	}
	if v.GroupBool(image, group, "queue.enable") {
		f.queueSettings(image, group, &s)
	}
	return s
}

// queueLocks is how many messages of a partition of a queue may be out.
const queueLocks = 120_000

// queueSettings are what a queue's group has beside: its bounds are not those of
// share groups, and its dead letters are messages of another queue.
func (f *Family) queueSettings(image *metadata.Image, group string, s *lead.Settings) {
	v := f.d.View
	s.Queue, s.Fair, s.MaxLocked, s.Attempts = true, true, queueLocks, 1<<15-1
	if n := v.GroupInt(image, group, "queue.max.receives"); n > 0 {
		s.Attempts = int16(n)
	}
	s.DeadTopic = v.GroupString(image, group, "queue.dead.letter.topic")
	s.DeadLetter, s.DeadWhole = s.DeadTopic != "", true
	s.DedupMs = v.GroupInt(image, group, "queue.deduplication.window.ms")
	s.DedupByKey = v.GroupString(image, group, "queue.deduplication.scope") == "messageGroup"
}

// copyEnable says whether a dead letter is the whole record. Where nobody has
// set it, it is.
const copyEnable = "errors.deadletterqueue.copy.record.enable"

// resetOf reads share.auto.offset.reset, whose form has been checked.
func resetOf(text string) lead.Reset {
	lower := strings.ToLower(text)
	if back, ok := strings.CutPrefix(lower, "by_duration:p"); ok {
		return lead.Reset{BackMs: durationMs(back)}
	}
	if lower == "earliest" {
		return lead.Reset{Where: partition.TimeEarliest}
	}
	return lead.Reset{Where: partition.TimeLatest}
}

// unitMs are the units of an ISO-8601 duration of days and time, in lower case.
var unitMs = map[byte]float64{'d': 24 * 3600e3, 'h': 3600e3, 'm': 60e3, 's': 1e3}

// durationMs reads what follows the P of an ISO-8601 duration.
func durationMs(text string) int64 {
	total, at := 0.0, 0
	for i := range len(text) {
		if text[i] == 't' {
			at = i + 1
			continue
		}
		if unit, ok := unitMs[text[i]]; ok {
			n, err := strconv.ParseFloat(text[at:i], 64)
			if err == nil {
				total += n * unit
			}
			at = i + 1
		}
	}
	return int64(min(total, 1<<53))
}
