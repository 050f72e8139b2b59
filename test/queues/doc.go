// Command queues kills nodes with SIGKILL at random moments while queues are sent
// to and taken from through all their doors, and judges what came of it.
//
//	go run ./test/queues                       100 kills of one node
//	go run ./test/queues -kills 20 -seed 7
//	go run ./test/queues -nodes 3              of any of three nodes (Linux)
//
// There is a standard queue and a FIFO queue, each with a queue for its dead
// letters. Kafka producers, the SQS door and the native door send, some messages
// with a delay. The SQS door, the native door and members of the queue's share
// group (test/rig/sharer) take: they acknowledge, give back at once or later, hold
// longer, reject, are too slow, or go and say nothing. Dead letters go back again
// and again: by moves of all and of chosen ones, and one by one, mended.
//
// A ledger holds the rules at every moment: a message that was acknowledged does
// not come again; nobody gets one whose lease has not ended, or whose delay is not
// over; of a message group nobody gets a message before the one ahead of it is
// done. At the end, when all is taken, the log is read: every message of which a
// sender was told is there; each that is there (senders try again, so a text may
// be there twice, with two ids) was acknowledged once or is a dead letter, and
// dead letters and moves are there as often as they were made, once each. A kind of
// fault that was never made fails the run.
//
// Files in reading order: main.go (a run), stage.go (queues and groups), send.go
// and kafka.go (senders), doors.go (the two HTTP doors), take.go and share.go
// (takers), letters.go (dead letters and moves), settle.go (the end), message.go, ledger.go (the
// rules), order.go (those of message groups), verdict.go (the log).
package main
