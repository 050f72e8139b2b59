package lead

import (
	"ottla/internal/partition"
	"ottla/internal/share"
)

// Settings are what a group's share-partitions heed.
type Settings struct {
	share.Settings
	Isolation partition.Isolation // share.isolation.level
	Reset     Reset               // share.auto.offset.reset
	Renew     bool                // share.renew.acknowledge.enable
	// DeadTopic takes dead letters (errors.deadletterqueue.topic.name); they
	// are records whole if DeadWhole, else only tell where the record lies.
	DeadTopic string
	DeadWhole bool
}

// Reset is where a share-partition without a start begins.
type Reset struct {
	// Where is partition.TimeLatest or partition.TimeEarliest, or 0 for the
	// time that lies BackMs before now.
	Where  int64
	BackMs int64
}

// timestamp is what ListOffset is asked for.
func (r Reset) timestamp(nowMs int64) int64 {
	if r.Where != 0 {
		return r.Where
	}
	return max(0, nowMs-r.BackMs)
}
