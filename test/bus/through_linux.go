package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"ottla/test/beside"
)

// delivered counts what passes have written for targets.
const delivered = "ottla_bus_events_delivered_total"

// orders is the pattern of the one rule that takes what is put.
const orders = `{"source":["shop.orders"],"detail":{"customer":{"id":[{"prefix":"c-"}]}}}`

// ruleTo is a rule of a bus with one target.
func ruleTo(bus, rule, pattern string, target object) thing {
	t := object{"id": "t"}
	for k, v := range target {
		t[k] = v
	}
	return thing{"/bus/" + bus + "/rules/" + rule, object{"pattern": pattern, "targets": []object{t}}}
}

// toQueue makes the bus shop, whose rule takes all to a queue, and a topic that has
// nothing to do with it.
func toQueue(ctx context.Context, n *node) error {
	if err := n.topic(ctx, "plain"); err != nil {
		return err
	}
	return n.put(ctx, thing{"/q/q", object{}}, thing{"/bus/shop", object{}}, ruleTo("shop", "all", orders, object{"to": "queue:q"}))
}

// plain puts events into a topic.
func plain(ctx context.Context, n *node, _ int) (beside.Outcome, error) {
	m, err := beside.StartMeter([]int{n.proc.PID()})
	if err != nil {
		return beside.Outcome{}, err
	}
	put, took, err := n.flood(ctx, "plain", *events)
	if err != nil {
		return beside.Outcome{}, err
	}
	return passed(m, put, took)
}

// passed is what came of putting so many events, now that all have arrived.
func passed(m *beside.Meter, put int, took time.Duration) (beside.Outcome, error) {
	used, err := m.Stop()
	each := float64(put)
	return beside.Outcome{Others: used.Others, Seen: beside.Seen{
		figPassed: each / used.Wall, figPut: each / took.Seconds(), figCPU: used.CPU * 1e6 / each,
	}}, err
}

// through puts events on the bus shop and waits until the queue has them all.
func through(ctx context.Context, n *node, _ int) (beside.Outcome, error) {
	return n.through(ctx, "shop")
}

func (n *node) through(ctx context.Context, bus string) (beside.Outcome, error) {
	before, err := n.counter(ctx, delivered)
	if err != nil {
		return beside.Outcome{}, err
	}
	m, err := beside.StartMeter([]int{n.proc.PID()})
	if err != nil {
		return beside.Outcome{}, err
	}
	put, took, err := n.flood(ctx, bus, *events)
	if err != nil {
		return beside.Outcome{}, err
	}
	if err := n.reaches(ctx, delivered, before+put); err != nil {
		return beside.Outcome{}, err
	}
	return passed(m, put, took)
}

// replayed replays what the last run put, into the one rule.
func replayed(ctx context.Context, n *node, run int) (beside.Outcome, error) {
	before, err := n.counter(ctx, delivered)
	if err != nil {
		return beside.Outcome{}, err
	}
	m, err := beside.StartMeter([]int{n.proc.PID()})
	if err != nil {
		return beside.Outcome{}, err
	}
	begun, name := time.Now(), fmt.Sprintf("/replay/again%d", run+1)
	body := object{"bus": object{"name": "shop"}, "rules": []string{"all"}, "from_ms": n.putMs, "to_ms": begun.UnixMilli()}
	if err := n.ask(ctx, http.MethodPut, name, body, nil); err != nil {
		return beside.Outcome{}, err
	}
	for {
		var r struct {
			State  string
			Events int
		}
		if err := n.ask(ctx, http.MethodGet, name, nil, &r); err != nil {
			return beside.Outcome{}, err
		}
		if r.State != "RUNNING" {
			if r.State != "COMPLETED" || r.Events == 0 {
				return beside.Outcome{}, fmt.Errorf("the replay is %s with %d events", r.State, r.Events)
			}
			if err := n.reaches(ctx, delivered, before+r.Events); err != nil {
				return beside.Outcome{}, err
			}
			return passed(m, r.Events, time.Since(begun))
		}
		time.Sleep(lookEvery)
	}
}

// putters are how many rules are put at a time.
const putters = 256

// manyRules makes two buses with the same rule; one has many others.
func manyRules(ctx context.Context, n *node) error {
	if err := n.put(ctx, thing{"/q/q", object{}}, thing{"/bus/few", object{}}, thing{"/bus/many", object{}},
		ruleTo("few", "all", orders, object{"to": "queue:q"}), ruleTo("many", "all", orders, object{"to": "queue:q"})); err != nil {
		return err
	}
	begun := time.Now()
	next := make(chan thing)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var putting sync.WaitGroup
	for range putters {
		putting.Go(func() {
			d := door{addrs: n.addrs}
			for x := range next {
				if err := d.ask(ctx, http.MethodPut, x.path, x.body, nil); err != nil && ctx.Err() == nil {
					cancel(err)
				}
			}
		})
	}
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range *others {
		select {
		case next <- ruleTo("many", fmt.Sprintf("other%06d", i), otherPattern(rng, i), object{"to": "queue:q"}):
		case <-ctx.Done():
		}
	}
	close(next)
	putting.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	took := time.Since(begun)
	fmt.Printf("rules: %d others were put in %v, %.2f ms each, %d at a time\n", *others, took.Round(time.Second), took.Seconds()*1e3/float64(max(*others, 1)), putters)
	return nil
}

// otherPattern is one of a thousand other pairs of source and type, with a condition, as
// a shop has them.
func otherPattern(rng *rand.Rand, i int) string {
	detail := fmt.Sprintf(`"orderId":["o-%08d"]`, rng.IntN(100_000))
	switch k := rng.IntN(100); {
	case k < 15:
		detail = fmt.Sprintf(`"customer":{"id":[{"prefix":"c-%04d"}]}`, rng.IntN(10_000))
	case k < 19:
		detail = `"status":[{"anything-but":"placed"}]`
	case k < 22:
		detail = fmt.Sprintf(`"customer":{"tier":[{"equals-ignore-case":"TIER-%02d"}]}`, rng.IntN(50))
	case k < 25:
		detail = `"gift":[{"exists":false}]`
	}
	return fmt.Sprintf(`{"source":["com.shop.unit%02d"],"detail-type":["OrderChanged.v%d"],"detail":{%s}}`, i%1000/10, i%10, detail)
}

func throughFew(ctx context.Context, n *node, _ int) (beside.Outcome, error) {
	return n.through(ctx, "few")
}

func throughMany(ctx context.Context, n *node, _ int) (beside.Outcome, error) {
	return n.through(ctx, "many")
}
