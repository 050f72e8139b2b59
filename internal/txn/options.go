package txn

import "time"

// Settings are the settings that transactions heed, by Kafka's names.
type Settings struct {
	MaxTimeout    time.Duration // transaction.max.timeout.ms
	Expiration    time.Duration // transactional.id.expiration.ms
	AbortInterval time.Duration // transaction.abort.timed.out.transaction.cleanup.interval.ms
	ForgetCheck   time.Duration // transaction.remove.expired.transaction.cleanup.interval.ms
}

// Defaults are Kafka's.
func Defaults() Settings {
	return Settings{
		MaxTimeout: 15 * time.Minute, Expiration: 7 * 24 * time.Hour,
		AbortInterval: 10 * time.Second, ForgetCheck: time.Hour,
	}
}

// Options make a Machine.
type Options struct {
	Settings
	// Markers writes the ends of transactions.
	Markers Markers
	// Level is the finalised transaction.version at this moment: 0 means records
	// without tagged fields, 2 that what the coordinator aborts by itself follows
	// KIP-890.
	Level func() int16
}

const (
	// patience is how long a command waits for the end of the transaction
	// before; then it hears CONCURRENT_TRANSACTIONS, as it does from Kafka at
	// once. It is well below what clients wait for an answer.
	patience = 5 * time.Second
	// maxParked bounds the commands of one transactional id that wait so: one
	// producer has one, and each that wants to take over another.
	maxParked = 16
	// markAgain is how long a transaction waits whose markers were refused as
	// those of an old coordinator.
	markAgain = 30 * time.Second
	// forgetBytes bounds the keys that one turn forgets, so that they fit in a
	// batch; the rest is another turn's.
	forgetBytes = 64 << 10
	// forgetOverhead is what a tombstone takes beside the key's text, at most.
	forgetOverhead = 32
)
