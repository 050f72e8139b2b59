package sharegroup

import (
	"time"

	"ottla/internal/metadata"
)

// Settings are what share groups heed, by Kafka's names, and what they must
// know of their node.
type Settings struct {
	// Image is the metadata at this moment.
	Image func() *metadata.Image
	// Of are the times of a group, its own settings included.
	Of func(group string) Times
	// Pace is how often members shall report when nobody has said it.
	Pace func() time.Duration
	// Count is told how many members came or went.
	Count func(delta int)
	// Gone is told of a member that left or was silent for too long, beside the
	// machine.
	Gone    func(group, member string)
	MaxSize int // group.share.max.size
}

// Times are a group's.
type Times struct {
	Session time.Duration // share.session.timeout.ms
	// Heartbeat is share.heartbeat.interval.ms; 0 leaves it to Settings.Pace.
	Heartbeat time.Duration
}

// Defaults are Kafka's, but for the interval that adapts.
func Defaults() Settings {
	return Settings{
		Image: metadata.Empty,
		Of:    func(string) Times { return Times{Session: 45 * time.Second} },
		Pace:  func() time.Duration { return 300 * time.Millisecond },
		Count: func(int) {},
		Gone:  func(string, string) {}, MaxSize: 200,
	}
}
