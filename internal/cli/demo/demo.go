package demo

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"ottla/internal/cli/fail"
)

// Options make a demo.
type Options struct {
	// HTTP and Kafka are HOST:PORT of the nodes; at least one each.
	HTTP, Kafka []string
	// AtHTTP and AtKafka are what commands need to reach them, as " -b HOST:PORT"; ""
	// for nothing.
	AtHTTP, AtKafka string
	// Apply has things be as a file says, by the HTTP port of a node (`ottla apply`).
	Apply func(ctx context.Context, http string, file []byte) error
	// Say writes lines for people, Status one that may be written over.
	Say, Status func(text string)
	// Every is how often the status is told; Pace is how often an order is placed.
	Every, Pace time.Duration
	// Orders is how many are placed; 0 is without an end.
	Orders int
}

// DefaultPace is a few events a second: of one order come three to five.
const DefaultPace = time.Second

// How often the status is told: to a person who looks, and to a log.
const (
	EveryLook = 3 * time.Second
	EveryLog  = time.Minute
)

// Demo is a shop that runs.
type Demo struct {
	o       Options
	door    *door
	tally   *tally
	partner *partner
	run     string // begins the numbers of this run's orders
}

// New makes a shop that does not run yet.
func New(o Options) *Demo {
	if o.Pace <= 0 {
		o.Pace = DefaultPace
	}
	if o.Every <= 0 {
		o.Every = EveryLog
	}
	return &Demo{o: o, door: newDoor(o.HTTP), tally: newTally()}
}

// Await waits until each of the parts was seen.
func (d *Demo) Await(ctx context.Context, parts ...Part) error { return d.tally.await(ctx, parts...) }

// setUpWithin bounds how long nodes that have just begun may refuse what is set up.
const setUpWithin = 3 * time.Minute

// Run sets the shop up and runs it until ctx is over, which is no error.
func (d *Demo) Run(ctx context.Context) error {
	begin := make([]byte, 2)
	if _, err := rand.Read(begin); err != nil {
		return fmt.Errorf("draw a number: %w", err)
	}
	d.run = hex.EncodeToString(begin)
	var err error
	if d.partner, err = listen(d.tally); err != nil {
		return err
	}
	setting, cancel := context.WithTimeout(ctx, setUpWithin)
	err = d.setUpAll(setting)
	cancel()
	if err != nil {
		d.partner.Close()
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() { d.partner.serve(ctx) })
	for queue, do := range map[string]func(context.Context, []byte) error{
		"billing": d.bill, "warehouse.fifo": d.pack, "deadlines": d.remind, "refunds": d.refund, giftsQueue: d.wrap, "stock": d.count,
	} {
		all.Go(func() { d.work(ctx, queue, do) })
	}
	all.Go(func() { d.report(ctx) })
	all.Go(func() { d.sell(ctx) })
	if d.Await(ctx, Placed) != nil {
		return nil
	}
	d.o.Say(d.welcome(d.firstEvent()))
	beat := time.NewTicker(d.o.Every)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
			d.o.Status(d.tally.line())
		}
	}
}

// setUpAll sets up until it is done: nodes that have just begun may refuse it. What is
// wrong in itself is told at once.
func (d *Demo) setUpAll(ctx context.Context) (err error) {
	for wait := firstPause; ; wait = min(2*wait, lastPause) {
		if err = d.setUp(ctx, d.partner.url()); err == nil || fail.CodeOf(err) == fail.Usage || pause(ctx, wait) != nil {
			return err
		}
	}
}

// firstEvent is the id of the first order that was placed.
func (d *Demo) firstEvent() string { return "OrderPlaced-" + d.run + "-1" }
