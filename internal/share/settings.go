package share

// Settings are what a share-partition heeds of its group's settings. They may
// change at any time (Configure).
type Settings struct {
	LockMs     int64 // share.record.lock.duration.ms
	Attempts   int16 // share.delivery.count.limit: deliveries before a record is given up
	MaxLocked  int   // share.partition.max.record.locks
	KeyOrdered bool  // share.key.ordering; fixed when the state is made
	// Fair has takers (Begin) get records of all keys by turns, in no order of
	// keys. It counts without KeyOrdered only; fixed like that.
	Fair       bool
	DeadLetter bool // records that are given up stay Archiving until Moved
	// A record that comes back waits RetryMs, times RetryFactor for each
	// delivery after the first, at most RetryMaxMs. RetryMs 0 means at once.
	RetryMs, RetryMaxMs int64
	RetryFactor         float64
}

// Defaults are Kafka's.
func Defaults() Settings {
	return Settings{LockMs: 30_000, Attempts: 5, MaxLocked: 2000, RetryFactor: 2, RetryMaxMs: MaxRetryMs}
}

// MaxRetryMs bounds the wait before another try: longer delays belong to a
// timer, not to the window of a share-partition.
const MaxRetryMs = 60_000

// maxSpans bounds what is known record by record: when there are more spans,
// nothing new is given out until some are done. It keeps the whole state, as
// it is stored, well below the size of a batch.
const maxSpans = 10_000

// retryMs is how long a record waits after its nth delivery.
func (s *Settings) retryMs(n int16) int64 {
	if s.RetryMs <= 0 {
		return 0
	}
	most := s.RetryMaxMs
	if most <= 0 || most > MaxRetryMs {
		most = MaxRetryMs
	}
	wait := float64(s.RetryMs)
	for ; n > 1 && wait < float64(most); n-- {
		wait *= max(1, s.RetryFactor)
	}
	return min(int64(wait), most)
}
