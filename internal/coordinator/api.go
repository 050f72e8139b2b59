package coordinator

import (
	"context"
	"log/slog"
	"time"

	"ottla/internal/record"
)

// Options make a Runtime.
type Options struct {
	Topic string
	// Partitions tells how many the topic has, 0 when there is none yet.
	Partitions func() int
	// New makes the machine of one partition.
	New func(partition int32) Machine
	// Codec compresses what is written.
	Codec record.Codec
	Now   func() time.Time
	// Alarm calls ring once, at or after the given time of Now, unless stop was
	// called before; ring is quick. nil means the system's timers.
	Alarm  func(at time.Time, ring func()) (stop func())
	Logger *slog.Logger
}

// Runtime runs the shards of one internal topic on this node. Its methods may
// be called from any goroutine.
type Runtime struct{}

// NewRuntime makes a runtime that leads nothing yet.
func NewRuntime(o Options) *Runtime { panic("not built") }

// PartitionFor tells which partition a key (a group id, a transactional id)
// belongs to, as Kafka has it: abs(hashCode of the Java string) modulo the
// number of partitions. COORDINATOR_NOT_AVAILABLE while there is no topic.
func (r *Runtime) PartitionFor(key string) (int32, error) { panic("not built") }

// Do gives a command to the shard of a key and returns the machine's reply.
// Errors are those of the machine, and, all retriable:
//
//	COORDINATOR_NOT_AVAILABLE    there is no topic yet, or its log cannot be read
//	NOT_COORDINATOR              this node does not lead the partition, or lost it
//	                             meanwhile: the command may have been carried out
//	COORDINATOR_LOAD_IN_PROGRESS the shard loads, or its mailbox is full
//	NOT_ENOUGH_REPLICAS          too few replicas in sync; nothing was done
//	REQUEST_TIMED_OUT            ctx ended; the command may be carried out still
//
// and MESSAGE_TOO_LARGE when the command's records do not fit into a batch.
func (r *Runtime) Do(ctx context.Context, key string, body any) (any, error) { panic("not built") }

// Go is Do for those who must not wait: done is called once, from any
// goroutine, perhaps before Go returns; it is quick and does not call the
// runtime. When ctx ends before the shard has taken the command up, done gets
// an error; after that it waits for the machine's reply however long it takes.
func (r *Runtime) Go(ctx context.Context, key string, body any, done func(any, error)) {
	panic("not built")
}

// Answer is what one shard said.
type Answer struct {
	Partition int32
	Body      any
	Err       error
}

// Each gives a command to every shard that is led here and returns their
// answers in the order of partitions; one that loads answers
// COORDINATOR_LOAD_IN_PROGRESS.
func (r *Runtime) Each(ctx context.Context, body any) []Answer { panic("not built") }

// Lead makes the shard of a partition load from its tail, and then serve. A
// leadership older than what it has is ignored.
func (r *Runtime) Lead(partition int32, t Tail) { panic("not built") }

// Resign makes the shard forget, when this node leads the partition no more.
func (r *Runtime) Resign(partition int32) { panic("not built") }

// Close ends all shards and waits for them; callers get NOT_COORDINATOR.
func (r *Runtime) Close() { panic("not built") }
