// Package groups reads consumer groups as people need them: who the members
// are, how far each partition is behind in records and in time, and what a
// reset of offsets would replay or skip before it is done. It prints nothing.
//
// Lag in time is the age of the oldest record that the group has not read: the
// record at the committed offset is fetched, one a partition, and its timestamp
// compared with the clock.
//
// Reading order: describe.go (members, offsets, lag), consumers.go (groups that
// the server assigns), shares.go (share groups), held.go (what their members hold),
// streams.go (applications of Kafka Streams), oldest.go (the age of the oldest
// unread record), verdict.go and verdict_kinds.go (why a group is behind),
// reset.go (planning and doing a reset).
package groups
