package broker

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"ottla/internal/log"
	"ottla/internal/partition"
)

// Names of the settings of compaction.
const (
	cleanerEnable  = "log.cleaner.enable"
	cleanerThreads = "log.cleaner.threads"
	cleanerBackoff = "log.cleaner.backoff.ms"
	cleanerKeys    = "log.cleaner.dedupe.buffer.size"
	cleanerLoad    = "log.cleaner.io.buffer.load.factor"
	cleanerBuffer  = "log.cleaner.io.buffer.size"
	cleanerRate    = "log.cleaner.io.max.bytes.per.second"
)

const (
	// cleanPace is how often the cleaner looks whether its pause is over.
	cleanPace = 500 * time.Millisecond
	// longestWait bounds one wait of the throttle, so that a log that closes
	// or a node that stops is not held up.
	longestWait = 250 * time.Millisecond
	// mostKeyBytes bounds one cleaner's table, as Kafka does.
	mostKeyBytes = 1<<31 - 1
	leastBuffer  = 16 << 10
)

// cleaners compact the logs that are due, the dirtiest first, as many at a time
// as there are threads. It belongs to one goroutine but for the throttle.
type cleaners struct {
	b        *Broker
	idle     time.Time // when nothing was due last; zero: begin counting now
	pool     []*log.Cleaner
	throttle throttle
}

// step cleans what is due, if the pause is over.
func (c *cleaners) step(now time.Time) {
	v, s := c.b.o.View, c.b.Image()
	if v.Bool(s, cleanerEnable) && due(&c.idle, now, v.Duration(s, cleanerBackoff)) {
		c.clear()
	}
}

// now cleans what is due without heeding the pause.
func (c *cleaners) now(time.Time) {
	if c.b.o.View.Bool(c.b.Image(), cleanerEnable) {
		c.clear()
	}
}

// clear cleans until nothing is due, and begins the pause.
func (c *cleaners) clear() {
	tried := map[*partition.Partition]bool{} // that got nowhere in this step
	for !c.b.stopped.Load() {
		next := c.next(int(c.b.o.View.Int(c.b.Image(), cleanerThreads)), tried)
		if len(next) == 0 {
			break
		}
		c.prepare(len(next))
		var wg sync.WaitGroup
		ahead := make([]bool, len(next))
		for i, p := range next {
			wg.Go(func() { ahead[i] = c.clean(p, c.pool[i]) })
		}
		wg.Wait()
		for i, p := range next {
			tried[p] = tried[p] || !ahead[i]
		}
	}
	c.idle = c.b.o.Now()
}

// next picks the n dirtiest logs that are due.
func (c *cleaners) next(n int, tried map[*partition.Partition]bool) []*partition.Partition {
	type dirty struct {
		p     *partition.Partition
		ratio float64
		name  string
		index int32
	}
	var all []dirty
	for p := range c.b.Partitions() {
		if tried[p] {
			continue
		}
		plan, err := p.Cleanable()
		if err != nil || !plan.Due {
			continue // what is wrong with a log is said where it is served
		}
		d := p.Describe()
		all = append(all, dirty{p, plan.Ratio(), d.Topic, d.Index})
	}
	slices.SortFunc(all, func(a, b dirty) int {
		return cmp.Or(cmp.Compare(b.ratio, a.ratio), cmp.Compare(a.name, b.name), cmp.Compare(a.index, b.index))
	})
	var out []*partition.Partition
	for _, d := range all[:min(n, len(all))] {
		out = append(out, d.p)
	}
	return out
}

// prepare readies n cleaners with the settings in force.
func (c *cleaners) prepare(n int) {
	v, s := c.b.o.View, c.b.Image()
	threads := max(v.Int(s, cleanerThreads), int64(n), 1)
	load, err := strconv.ParseFloat(v.String(s, cleanerLoad), 64)
	if err != nil {
		load = 0
	}
	rate, err := strconv.ParseFloat(v.String(s, cleanerRate), 64)
	if err != nil {
		rate = 0
	}
	c.throttle.set(rate)
	for len(c.pool) < n {
		c.pool = append(c.pool, &log.Cleaner{Pace: c.pace})
	}
	for _, each := range c.pool {
		each.KeyBytes = min(v.Int(s, cleanerKeys)/threads, mostKeyBytes)
		each.LoadFactor = load
		each.BufferBytes = int(max(v.Int(s, cleanerBuffer)/threads/2, leastBuffer))
	}
}

// clean cleans one log and tells whether that brought it forward.
func (c *cleaners) clean(p *partition.Partition, with *log.Cleaner) bool {
	b, m := c.b, &c.b.o.Metrics
	began := b.o.Now()
	done, err := p.Clean(with)
	m.CleanerRead.Add(int(done.Read))
	m.CleanerWritten.Add(int(done.Written))
	m.CleanerDropped.Add(int(done.Dropped))
	d := p.Describe()
	switch {
	case err == nil:
		m.Cleanings.Inc()
		b.o.Logger.Debug("log cleaned", "topic", d.Topic, "partition", d.Index, "from", done.From, "offset", done.To,
			"bytes", done.Before, "left", done.After, "dropped", done.Dropped, "dur", b.o.Now().Sub(began))
		return done.To > done.From
	case errors.Is(err, log.ErrNothingToClean), errors.Is(err, log.ErrClosed), errors.Is(err, errStopping):
		return false
	}
	m.Cleanings.Inc()
	m.CleaningsFailed.Inc()
	if p.Uncleanable() != nil {
		b.o.Logger.Error("log is not cleaned any more", "topic", d.Topic, "partition", d.Index, "err", err)
	} else if !errors.Is(err, log.ErrOffline) { // the directory has said that for all
		b.o.Logger.Warn("cleaning of a log failed; it is tried again", "topic", d.Topic, "partition", d.Index, "err", err)
	}
	return false
}

// Uncleanable counts the logs that compaction leaves out because they can not be
// read or understood.
func (b *Broker) Uncleanable() (n int) {
	for p := range b.Partitions() {
		if p.Uncleanable() != nil {
			n++
		}
	}
	return n
}

var errStopping = errors.New("the node stops")

// pace is what a cleaner calls with the bytes that it read or wrote.
func (c *cleaners) pace(bytes int) error {
	wait := c.throttle.take(bytes, c.b.o.Now())
	if wait <= 0 {
		if c.b.stopped.Load() {
			return errStopping
		}
		return nil
	}
	ticks, end := c.b.o.Tick(min(wait, longestWait))
	defer end()
	select {
	case <-ticks:
		return nil
	case <-c.b.stop:
		return errStopping
	}
}

// throttle spreads bytes over time. What one wait does not cover is owed by the
// next.
type throttle struct {
	mu   sync.Mutex
	rate float64   // bytes a second; 0 or less: no limit
	free time.Time // when all that was taken is paid for
}

func (t *throttle) set(rate float64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.rate = rate
}

// take tells how long to wait after so many bytes.
func (t *throttle) take(bytes int, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rate <= 0 {
		return 0
	}
	if t.free.Before(now) {
		t.free = now
	}
	t.free = t.free.Add(time.Duration(min(float64(bytes)/t.rate, 3600) * float64(time.Second)))
	return t.free.Sub(now)
}
