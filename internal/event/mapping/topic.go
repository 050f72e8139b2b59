package mapping

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
	"ottla/internal/event/outbound"
)

const (
	// idleFetch is how long a fetch waits at most that brings nothing.
	idleFetch  = 5 * time.Second
	leastFetch = 20 * time.Millisecond
)

// readTopic reads all partitions as long as the runner lives.
func (r *runner) readTopic() {
	topic, _ := r.m.Topic()
	c, err := r.s.o.Client()
	if err != nil {
		r.trouble("a client cannot be made", err)
		<-r.ctx.Done()
		return
	}
	defer c.Close()
	lost, known := r.lost(kadm.NewClient(c), topic)
	if !known {
		return
	}
	var reading sync.WaitGroup
	defer reading.Wait()
	for n := int32(0); ; {
		for ; n < int32(r.s.o.Partitions(topic)); n++ {
			p := &partition{r: r, admin: kadm.NewClient(c), topic: topic, number: n, lost: lost, only: sieve{only: r.only}, task: task{s: r.s}}
			reading.Go(p.run)
		}
		lost = false // others come later, and have none
		select {
		case <-r.ctx.Done():
			return
		case <-r.bell: // it may have grown
		}
	}
}

// partition is one partition that a function takes the records of, in order.
type partition struct {
	r       *runner
	admin   *kadm.Client
	topic   string
	number  int32
	lost    bool // the group had no offsets of the topic when the runner began
	log     *follow.Partition
	task    task
	only    sieve
	pending []*kgo.Record // that were read, and are in no call yet
	passed  int64         // with filters: the offset up to which all was read
	done    int64         // the offset that is committed
	doneAt  moment        // when that was
}

// run has the function take the records, from where the group is on.
func (p *partition) run() {
	r := p.r
	defer p.task.idle()
	at, ok := p.begin()
	if !ok {
		return
	}
	p.done = at
	wait := idleFetch
	if r.m.WindowMs > 0 {
		wait = min(wait, max(leastFetch, time.Duration(r.m.WindowMs)*time.Millisecond/4))
	}
	var err error
	p.log, err = follow.Open(follow.Options{Client: r.s.o.Client, Topic: p.topic, Partition: p.number, From: at, Wait: wait, Moved: p.moved})
	if err != nil {
		r.trouble("a partition cannot be read", err)
		return
	}
	defer p.log.Close()
	for r.ctx.Err() == nil {
		if batch := p.fill(); len(batch) > 0 && !p.finish(batch) {
			return
		}
	}
}

// moved says that the log does not have what the function was to get next.
func (p *partition) moved(from, to int64) {
	what := "records were deleted before a function got them"
	if to < from {
		what = "a log has lost its end: a function gets its records again"
	}
	p.r.s.o.Logger.Error(what, "mapping", p.r.m.Ref.Name, "topic", p.topic, "partition", p.number, "from_offset", from, "to_offset", to)
}

// fill reads records for one call: as many as are there, and with a window those that
// come within it.
func (p *partition) fill() []*kgo.Record {
	r := p.r
	window := time.Duration(r.m.WindowMs) * time.Millisecond
	begun := r.s.moment()
	for failures := 0; ; {
		turn := r.s.board.now()
		n, full := p.cut()
		if n > 0 && (full || r.s.past(begun, window)) {
			p.task.busy()
			batch := slices.Clone(p.pending[:n])
			p.pending = slices.Delete(p.pending, 0, n)
			return batch
		}
		if n == 0 && p.passed > p.done && !p.commit(p.passed) || !p.renew() {
			return nil
		}
		if n == 0 {
			p.task.idle()
			turn = context.Background() // the clock means nothing to it
		} else {
			p.task.waiting(begun, window, true)
		}
		reading, end := within(r.ctx, turn)
		got, err := p.log.Next(reading)
		woken := reading.Err() != nil
		end()
		if r.ctx.Err() != nil {
			return nil
		}
		if err != nil && woken {
			continue
		}
		if err != nil {
			failures++
			r.trouble("records cannot be read at the moment", err)
			if !p.rest(failures, false) {
				return nil
			}
			continue
		}
		failures = 0
		if len(p.pending) == 0 && len(got) > 0 {
			begun = r.s.moment()
		}
		if !p.sift(got) {
			return nil
		}
	}
}

// cut is how many records the next call has, and whether it is full with them.
func (p *partition) cut() (n int, full bool) {
	size := 0
	for _, rec := range p.pending {
		more := bytesOf(rec)
		if n == p.r.m.Batch || n > 0 && size+more > mostBytes {
			return n, true
		}
		n, size = n+1, size+more
	}
	return n, n == p.r.m.Batch
}

// headerByte is how much more room a byte of a header takes in an event than others do: it
// is a number there.
const headerByte = 3

// bytesOf is what a record takes of a call's bytes.
func bytesOf(rec *kgo.Record) int {
	n := len(rec.Key) + len(rec.Value)
	for _, h := range rec.Headers {
		n += len(h.Key) + headerByte*len(h.Value)
	}
	return n
}

// part are records of a batch that are called together.
type part struct {
	records  []*kgo.Record
	attempts int // that have failed
}

// finish calls until all of a batch is taken or given up, and commits that; false when
// the runner was stopped before.
func (p *partition) finish(batch []*kgo.Record) bool {
	r := p.r
	r.s.count.taken.Add(len(batch))
	left := []part{{records: batch}}
	for failures := 0; len(left) > 0; {
		now := left[0]
		left = left[1:]
		old := p.outdated(now.records)
		if old > 0 {
			if !p.giveUp(now.records[:old], failure{"RECORD_TOO_OLD", "it is older than the mapping allows", exhaustedAge, now.attempts}) {
				return false
			}
			now.records = now.records[old:]
		}
		if len(now.records) == 0 {
			continue
		}
		f, taken := p.try(now.records)
		if taken > 0 && !p.commit(now.records[taken-1].Offset+1) {
			return false
		}
		switch {
		case taken == len(now.records):
			failures = 0
			r.tell("")
			continue
		case r.ctx.Err() != nil:
			return false
		case taken > 0: // what comes first now has failed once
			now = part{now.records[taken:], 0}
		}
		r.s.count.failed.Inc()
		r.trouble("the function failed, and gets the records again", errors.New(f.why))
		_, dead := r.m.letters()
		refused := f.exhausted == final && dead                      // for something in it, or for its size
		if n := len(now.records); (r.m.Bisect || refused) && n > 1 { // which is no attempt
			left = append([]part{{now.records[:n/2], now.attempts}, {now.records[n/2:], now.attempts}}, left...)
			continue
		}
		now.attempts++
		f.attempts = now.attempts
		if refused || r.m.Retries != nil && now.attempts > *r.m.Retries {
			if f.exhausted != final {
				f.exhausted = exhaustedAttempts
			}
			n := len(now.records)
			if f.code == reportedRecord {
				n = 1 // the function has not seen what is behind it
			}
			if !p.giveUp(now.records[:n], f) {
				return false
			}
			if n < len(now.records) {
				left = append([]part{{now.records[n:], 0}}, left...)
			}
			continue
		}
		failures++
		if !p.rest(failures, r.m.Retries != nil) || !p.renew() {
			return false
		}
		left = append([]part{now}, left...)
	}
	return true
}

// rest waits as a runner does. The clock may halt at its end.
func (p *partition) rest(failures int, halts bool) bool {
	since, long := p.r.s.moment(), restOf(failures)
	p.task.waiting(since, long, halts)
	defer p.task.busy()
	return p.r.s.pause(p.r.ctx, since, long)
}

// outdated is how many of the first records are too old to be tried.
func (p *partition) outdated(records []*kgo.Record) int {
	most := p.r.m.MaxAgeMs
	if most == 0 {
		return 0
	}
	nowMs := p.r.s.o.Now().UnixMilli()
	n := slices.IndexFunc(records, func(rec *kgo.Record) bool { return nowMs-rec.Timestamp.UnixMilli() <= most })
	if n < 0 {
		return len(records)
	}
	return n
}

// reportedRecord is the code of a record that the function itself says has failed.
const reportedRecord = "REPORTED"

// try calls the function with records, and tells how many of the first it took, and
// why not the next one; until it may be called records wait. What it refuses for good is final where that has somewhere to
// go.
func (p *partition) try(records []*kgo.Record) (failure, int) {
	event, err := kafkaEvent(p.r.s.o.Address(), records)
	if err != nil {
		return failure{code: "INVALID_EVENT", why: err.Error()}, 0
	}
	a := p.r.call(p.r.ctx, event)
	switch a.Judge() {
	case outbound.Delivered:
	case outbound.Refused:
		return failure{code: "FUNCTION_REFUSED", why: a.Why(), exhausted: final}, 0
	default:
		return failure{code: "FUNCTION_FAILED", why: a.Why()}, 0
	}
	if !p.r.m.ReportFailures {
		return failure{}, len(records)
	}
	offsets := make([]int64, len(records))
	for i, rec := range records {
		offsets[i] = rec.Offset
	}
	first, err := firstFailed(a.Body, partitionName(p.topic, p.number), offsets)
	switch {
	case err != nil:
		return failure{code: "INVALID_ANSWER", why: err.Error()}, 0
	case first < 0:
		return failure{}, len(records)
	}
	return failure{code: reportedRecord, why: fmt.Sprintf("the function reported the record at offset %d as failed", first)}, slices.Index(offsets, first)
}
