package run

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
	"ottla/internal/event/run/course"
	"ottla/internal/record"
)

const (
	// idleFetch is how long a fetch waits that brings nothing.
	idleFetch = 5 * time.Second
	// errorPause is how long the mirror rests after an error.
	errorPause = 100 * time.Millisecond
)

// seatPartition is where the records of a seat are: in one partition of StateTopic, the
// same one also where somebody gave that more.
func seatPartition(seat string, partitions int) int32 {
	return record.KeyHash([]byte(seat)) % int32(min(partitions, Partitions))
}

// mirror has what StateTopic says, partition by partition, in memory. Nothing is read
// before somebody asks.
type mirror struct {
	client  func(opts ...kgo.Opt) (*kgo.Client, error)
	logger  *slog.Logger
	ctx     context.Context
	cancel  context.CancelFunc
	working sync.WaitGroup

	mu    sync.Mutex // guards what follows, and what is in the pages
	pages map[int32]*page
}

// page is one partition.
type page struct {
	log   *follow.Partition
	at    int64
	moved chan struct{}
	seats map[string]map[string][]byte // by seat, then by what follows in the key
}

func newMirror(o *Options) *mirror {
	m := &mirror{client: o.Client, logger: o.Logger, pages: map[int32]*page{}}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	return m
}

// open begins to read a partition.
func (m *mirror) open(partition int32) (*page, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.pages[partition]; p != nil {
		return p, nil
	}
	if m.ctx.Err() != nil {
		return nil, m.ctx.Err()
	}
	p := &page{moved: make(chan struct{}), seats: map[string]map[string][]byte{}}
	var err error
	p.log, err = follow.Open(follow.Options{Client: m.client, Topic: StateTopic, Partition: partition, Wait: idleFetch, Moved: func(from, to int64) { m.lost(p, from, to) }})
	if err != nil {
		return nil, fmt.Errorf("mirror %s: %w", StateTopic, err)
	}
	m.pages[partition] = p
	m.working.Go(func() { m.follow(p) })
	return p, nil
}

// follow reads a partition until the mirror is closed.
func (m *mirror) follow(p *page) {
	defer p.log.Close()
	for {
		got, err := p.log.Next(m.ctx)
		if m.ctx.Err() != nil {
			return
		}
		if err != nil {
			m.logger.Warn("the state of buses is not followed at the moment; it is tried again", "topic", StateTopic, "err", err)
			select {
			case <-m.ctx.Done():
			case <-time.After(errorPause):
			}
			continue
		}
		m.take(p, got)
	}
}

func (m *mirror) take(p *page, got []*kgo.Record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range got {
		seat, rest := course.SeatOf(string(r.Key))
		if r.Value == nil {
			if delete(p.seats[seat], rest); len(p.seats[seat]) == 0 {
				delete(p.seats, seat)
			}
			continue
		}
		if p.seats[seat] == nil {
			p.seats[seat] = map[string][]byte{}
		}
		p.seats[seat][rest] = bytes.Clone(r.Value) // r's is part of all that was fetched with it
	}
	if at := p.log.At(); at != p.at {
		p.at = at
		close(p.moved)
		p.moved = make(chan struct{})
	}
}

// lost forgets what was read of a log that lost its end, or was made anew: what others
// read there is what is known.
func (m *mirror) lost(p *page, from, to int64) {
	if to > from {
		return // compaction needs nobody's leave
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.logger.Error("the state of buses has lost its end, and is read anew", "topic", StateTopic, "read_to", from, "begin", to)
	p.seats, p.at = map[string]map[string][]byte{}, to
}

// reached returns when everything below an offset of a partition is known.
func (m *mirror) reached(ctx context.Context, partition int32, end int64) error {
	p, err := m.open(partition)
	if err != nil {
		return err
	}
	for {
		m.mu.Lock()
		at, moved := p.at, p.moved
		m.mu.Unlock()
		if at >= end {
			return nil
		}
		select {
		case <-moved:
		case <-m.ctx.Done():
			return errStopped
		case <-ctx.Done():
			return fmt.Errorf("wait for offset %d of %s-%d, at %d now: %w", end, StateTopic, partition, at, ctx.Err())
		}
	}
}

// seat gives the records of a seat, and what is closed when there are others.
func (m *mirror) seat(partition int32, seat string) (map[string][]byte, <-chan struct{}, error) {
	p, err := m.open(partition)
	if err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(p.seats[seat]), p.moved, nil
}

// known are the seats that have records.
func (m *mirror) known(partition int32) ([]string, error) {
	p, err := m.open(partition)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(p.seats)), nil
}

// record gives one record of a seat, nil without one, and what is closed when there are
// others.
func (m *mirror) record(partition int32, seat, rest string) ([]byte, <-chan struct{}, error) {
	p, err := m.open(partition)
	if err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return p.seats[seat][rest], p.moved, nil
}

// end returns when everything is known that was written to a partition before.
func (m *mirror) end(ctx context.Context, partition int32) error {
	p, err := m.open(partition)
	if err != nil {
		return err
	}
	end, err := p.log.End(ctx)
	if err != nil {
		return err
	}
	return m.reached(ctx, partition, end)
}

func (m *mirror) close() {
	m.cancel()
	m.working.Wait()
}
