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
	// Queue: the group's records are the messages of a queue (queue.enable).
	// Locks and waits go by the clock of what is stored, which may be moved, and
	// dead letters go to any topic that is there.
	Queue bool
	// DedupMs is how long the deduplication id of a record (the header DedupID)
	// has later records of the same id dropped; 0 for never. With DedupByKey the
	// ids of another key are others.
	DedupMs    int64
	DedupByKey bool
}

// DedupID is the header whose value is a record's deduplication id.
const DedupID = "ottla.dedup-id"

// remade tells whether other settings take another state.
func (s *Settings) remade(o *Settings) bool {
	return s.KeyOrdered != o.KeyOrdered || s.Fair != o.Fair || s.Isolation != o.Isolation || s.Queue != o.Queue || s.DedupMs != o.DedupMs || s.DedupByKey != o.DedupByKey
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
