package consumer

import (
	"time"

	"ottla/internal/metadata"
)

// Settings are what consumer groups heed, by Kafka's names, and what they must
// know of their node.
type Settings struct {
	// Image is the metadata at this moment: topics, partitions, racks.
	Image func() *metadata.Image
	// Of are the times of a group, its own settings included.
	Of func(group string) Times
	// Pace is how often members shall report when nobody has said it: it hangs
	// on how many members the node has.
	Pace func() time.Duration
	// Count is told how many members came or went.
	Count func(delta int)
	// Assignors are the assignors that members may ask for, the first is the
	// default (group.consumer.assignors).
	Assignors []string
	MaxSize   int // group.consumer.max.size
	// ClassicSize is how large a group may be that becomes a classic one
	// (group.max.size).
	ClassicSize int
	// Upgrade and Downgrade tell whether groups may change between the
	// protocols while they have members (group.consumer.migration.policy).
	Upgrade, Downgrade bool
}

// Times are a group's.
type Times struct {
	// Session is consumer.session.timeout.ms.
	Session time.Duration
	// Heartbeat is consumer.heartbeat.interval.ms; 0 leaves it to Settings.Pace.
	Heartbeat time.Duration
	// Assignment is consumer.assignment.interval.ms; -1 lets it grow with the
	// group.
	Assignment time.Duration
}

// Defaults are Kafka's, but for intervals that adapt.
func Defaults() Settings {
	return Settings{
		Image:     metadata.Empty,
		Of:        func(string) Times { return Times{Session: 45 * time.Second, Assignment: -1} },
		Pace:      func() time.Duration { return 300 * time.Millisecond },
		Count:     func(int) {},
		Assignors: []string{"uniform", "range"},
		MaxSize:   1<<31 - 1, ClassicSize: 1<<31 - 1,
		Upgrade: true, Downgrade: true,
	}
}

// smallGroup is up to how many members a group is assigned anew at every
// change.
const smallGroup = 100

// assignEvery is the least time between two assignments of a group of a size,
// where nobody has said it: 0.1 ms a member in groups that are not small, at
// most Kafka's second.
func assignEvery(members int) time.Duration {
	if members <= smallGroup {
		return 0
	}
	return min(time.Duration(members)*100*time.Microsecond, time.Second)
}
