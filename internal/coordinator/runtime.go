package coordinator

import (
	"context"
	"runtime"
	"slices"
	"sync"
)

// Runtime runs the shards of one internal topic on this node. Its methods may
// be called from any goroutine.
type Runtime struct {
	o Options

	mu      sync.RWMutex // guards all three; not held over a call into a shard
	shards  map[int32]*shard
	parting bool // see LetGo
	closed  bool

	// slots bounds the work that runs at once; working waits for all of it.
	slots   chan struct{}
	working sync.WaitGroup
}

// NewRuntime makes a runtime that leads nothing yet.
func NewRuntime(o Options) *Runtime {
	o.fill()
	return &Runtime{o: o, shards: map[int32]*shard{}, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// PartitionFor tells which partition a key (a group id, a transactional id)
// belongs to, as Kafka has it: abs(hashCode of the Java string) modulo the
// number of partitions. COORDINATOR_NOT_AVAILABLE while there is no topic.
func (r *Runtime) PartitionFor(key string) (int32, error) {
	n := r.o.Partitions()
	if n <= 0 {
		return -1, errNoTopic
	}
	return partitionOf(key, n), nil
}

// Do gives a command to the shard of a key and returns the machine's reply.
// Errors are those of the machine, and, all retriable:
//
//	COORDINATOR_NOT_AVAILABLE    there is no topic yet, or its log cannot be read
//	NOT_COORDINATOR              this node does not lead the partition, or lost it
//	                             meanwhile: the command may have been carried out;
//	                             or it may have, and the command is Exact or the
//	                             reply a last word (Firm); or the node is cut off
//	                             (Options.Mute)
//	COORDINATOR_LOAD_IN_PROGRESS the shard loads, or its mailbox is full
//	NOT_ENOUGH_REPLICAS          too few replicas in sync; nothing was done
//	KAFKA_STORAGE_ERROR          the disk is full; nothing was done
//	REQUEST_TIMED_OUT            ctx ended; the command may be carried out still
//
// and MESSAGE_TOO_LARGE when the command's records do not fit into a batch.
func (r *Runtime) Do(ctx context.Context, key string, body any) (any, error) {
	s, err := r.shardOf(key)
	if err == nil {
		err = s.doubt(body)
	}
	if err != nil {
		return nil, err
	}
	return s.do(ctx, body)
}

// Go is Do for those who must not wait: done is called once, from any
// goroutine, perhaps before Go returns; it is quick and does not call the
// runtime. When ctx ends before the shard has taken the command up, done gets
// an error; after that it waits for the machine's reply however long it takes, or
// until the node is cut off.
func (r *Runtime) Go(ctx context.Context, key string, body any, done func(any, error)) {
	s, err := r.shardOf(key)
	if err == nil {
		err = s.doubt(body)
	}
	if err != nil {
		done(nil, err)
		return
	}
	s.submit(&call{ctx: ctx, body: body, done: done})
}

// GoAt is Go for a command that belongs to a partition and not to a key.
func (r *Runtime) GoAt(ctx context.Context, partition int32, body any, done func(any, error)) {
	s, err := r.shardAt(partition)
	if err == nil {
		err = s.doubt(body)
	}
	if err != nil {
		done(nil, err)
		return
	}
	s.submit(&call{ctx: ctx, body: body, done: done})
}

func (r *Runtime) shardOf(key string) (*shard, error) {
	p, err := r.PartitionFor(key)
	if err != nil {
		return nil, err
	}
	return r.shardAt(p)
}

func (r *Runtime) shardAt(partition int32) (*shard, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.shards[partition]
	switch {
	case r.closed:
		return nil, errClosed
	case s == nil:
		return nil, errIdle
	}
	return s, nil
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
func (r *Runtime) Each(ctx context.Context, body any) []Answer {
	var out []Answer
	for _, p := range r.led() {
		out = append(out, Answer{Partition: p})
	}
	type said struct {
		i    int
		body any
		err  error
	}
	answers := make(chan said, len(out))
	for i := range out {
		done := func(body any, err error) { answers <- said{i, body, err} }
		r.shard(out[i].Partition).submit(&call{ctx: ctx, body: body, done: done})
		out[i].Err = errSilent
	}
	for range out {
		select {
		case a := <-answers:
			out[a.i].Body, out[a.i].Err = a.body, a.err
		case <-ctx.Done():
			return out
		}
	}
	return out
}

// Lead makes the shard of a partition load from its tail, and then serve. A
// leadership no newer than the one at hand is ignored, unless Resign came
// between: calls for one partition come in the order of its roles.
func (r *Runtime) Lead(partition int32, t Tail) {
	if s := r.make(partition); s != nil {
		s.lead(t)
	}
}

// Expect tells that this node will lead the partition once its log is open:
// until Lead or Resign its commands hear COORDINATOR_LOAD_IN_PROGRESS.
func (r *Runtime) Expect(partition int32) {
	if s := r.make(partition); s != nil {
		s.expect()
	}
}

// make finds a shard or starts one; nil once the runtime is closed.
func (r *Runtime) make(partition int32) *shard {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	s := r.shards[partition]
	if s == nil {
		s = newShard(&r.o, partition, r.work)
		s.parting.Store(r.parting)
		r.shards[partition] = s
	}
	return s
}

// Resign makes the shard forget, when this node leads the partition no more.
func (r *Runtime) Resign(partition int32) {
	if s := r.shard(partition); s != nil {
		s.resign()
	}
}

// Settle waits until the shard of a key has loaded (or has failed to, or is not
// led here). COORDINATOR_LOAD_IN_PROGRESS when ctx ends first.
func (r *Runtime) Settle(ctx context.Context, key string) error {
	s, err := r.shardOf(key)
	if err != nil {
		return err
	}
	return s.settle(ctx)
}

// SettleAll is Settle for all shards of this node, so that the first commands
// after a topic was made need not be refused.
func (r *Runtime) SettleAll(ctx context.Context) error {
	for _, p := range r.led() {
		if err := r.shard(p).settle(ctx); err != nil {
			return err
		}
	}
	return nil
}

// LetGo is for a node that is about to stop: who waits for something to happen, and
// not for what is decided already to be committed, hears NOT_COORDINATOR as if the
// leadership had moved, from now on. All else goes on.
func (r *Runtime) LetGo() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.parting = true
	for _, s := range r.shards {
		s.parting.Store(true)
		s.in.ring()
	}
}

// Close ends all shards and waits for them; callers get NOT_COORDINATOR.
func (r *Runtime) Close() {
	r.mu.Lock()
	r.closed = true
	shards := make([]*shard, 0, len(r.shards))
	for _, s := range r.shards {
		shards = append(shards, s)
	}
	r.mu.Unlock()
	for _, s := range shards {
		s.close()
	}
	r.working.Wait()
}

func (r *Runtime) shard(partition int32) *shard {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.shards[partition]
}

// led lists the partitions led here, in order.
func (r *Runtime) led() []int32 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var out []int32
	for p, s := range r.shards {
		if phase(s.phase.Load()) != idle {
			out = append(out, p)
		}
	}
	slices.Sort(out)
	return out
}

// Standing counts the shards that are led here: all, those that still load,
// and those whose partition cannot be read.
func (r *Runtime) Standing() (led, loads, fails int) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, s := range r.shards {
		switch phase(s.phase.Load()) {
		case idle:
			continue
		case loading:
			loads++
		case failed:
			fails++
		}
		led++
	}
	return led, loads, fails
}

// work runs one piece of a shard's work when there is a slot for it.
func (r *Runtime) work(life uint64, run func() any, to *inbox) {
	r.working.Go(func() {
		r.slots <- struct{}{}
		defer func() { <-r.slots }()
		to.worked(result{life, run()})
	})
}
