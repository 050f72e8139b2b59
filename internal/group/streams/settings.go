package streams

import (
	"time"

	"ottla/internal/group/schema"
	"ottla/internal/metadata"
)

// Settings are what streams groups heed, by Kafka's names, and what they must
// know of their node.
type Settings struct {
	// Image is the metadata at this moment: topics and their partitions.
	Image func() *metadata.Image
	// Of is what a group may set for itself.
	Of func(group string) Own
	// Pace is how often members shall report when nobody has said it.
	Pace func() time.Duration
	// Count is told how many members came or went.
	Count func(delta int)
	// Create makes internal topics, away from the machine, and gives for each
	// why it is not made, empty where it is.
	Create  func(topics []schema.StreamsTopic) []string
	MaxSize int // group.streams.max.size
}

// Own are a group's settings.
type Own struct {
	// Session is streams.session.timeout.ms.
	Session time.Duration
	// Heartbeat is streams.heartbeat.interval.ms; 0 leaves it to Settings.Pace.
	Heartbeat time.Duration
	// Assignment is streams.assignment.interval.ms; negative: 0.
	Assignment time.Duration
	// Delay is streams.initial.rebalance.delay.ms.
	Delay time.Duration
	// Standbys is streams.num.standby.replicas.
	Standbys int
	// Tags are streams.rack.aware.assignment.tags.
	Tags []string
}

// Defaults are Kafka's, but for intervals that adapt.
func Defaults() Settings {
	return Settings{
		Image:   metadata.Empty,
		Of:      func(string) Own { return Own{Session: 45 * time.Second, Delay: 3 * time.Second, Assignment: -1} },
		Pace:    func() time.Duration { return 300 * time.Millisecond },
		Count:   func(int) {},
		Create:  func(topics []schema.StreamsTopic) []string { return make([]string, len(topics)) },
		MaxSize: 1<<31 - 1,
	}
}
