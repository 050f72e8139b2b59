// Package delivery calls HTTP addresses and functions with what the passes of buses
// and SNS topics put down for them: at least once, under an id that stays, and with
// all that keeps one target's trouble from others.
//
// It is not for which events go where (event/run), nor for when a call is made again
// (delivery/course, which decides), nor for how an address is called (event/outbound).
//
// Main types: Service; runner, which has one partition of Topic; lane, which is what is
// not finished of a target; Attempt. Main function for others: Record.
//
// Files in reading order: parcel.go, note.go (what lies in Topic), service.go, runner.go,
// load.go (how a runner begins), lanes.go, due.go, turn.go (what a turn does), workers.go,
// reread.go (what was not in memory), call.go, function.go (calls), keep.go, write.go,
// letters.go (what is written), attempt.go, search.go (what was called), settle.go
// (after the clock was moved).
//
// # How a delivery comes about
//
// A pass writes a record into Topic within its own transaction, so an event is put down
// for a target exactly when the pass has passed it. The node that leads the partition
// runs it, with the transactional id ottla-deliveries-N, so that whoever takes over
// fences the one before. Topic is read in order into lanes, one for each target. What
// is not finished of a target is a record of StateTopic, and so is how far Topic was
// read; dead letters and what is told of calls are written in the same transactions, one
// after the other, at most every 50 ms. Each writes what was known when it began, and
// calls go on meanwhile: what comes of them is of the next. A target of which all is done
// has no record. So after a crash what was called within the last moments is called
// again, under the same id, and nothing else; of an ordered target from the first on that
// was not written. After a transaction that failed everything is loaded again.
//
// # What bounds memory
//
// A lane holds 1000 deliveries, and as many payloads as its share of 64 MiB has room
// for. Where it is full it is "behind": the common reader passes its records over, and
// they are read again by a second reader as room comes. What that read last stays
// beside the lanes as long as something is under way: room comes for a part of it at a
// time. Payloads of deliveries that are tried again later, and of a target that does not
// answer, are let go and read again when they are due. So a dead target costs one payload,
// and nobody waits for it. Of an ordered target what comes first has room, if need be that
// of what waits behind it.
// While a transaction is under way 1000 calls are made at most, and once something is
// given up no more payloads are read.
//
// # Locks
//
// Service.mu guards the runners; runner.mu what a runner is told. Service.mu may be held
// when runner.mu is taken. A runner's goroutine owns all else of it; what is being
// written (writing) is read by who writes, and by nobody changed until that ends.
package delivery
