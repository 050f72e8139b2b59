// Package syncway chooses how a sync round makes many files durable: one by one,
// or with one sync of the whole file system, by what each way has cost.
//
// It is pure: sizes, times and durations in, a choice out. Main type: Ways.
// Files: ways.go.
package syncway
