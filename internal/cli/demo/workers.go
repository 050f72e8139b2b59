package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"ottla/internal/cli/native"
	"ottla/internal/gateway/rest"
)

// mostTaken is how many messages a worker takes at once.
const mostTaken = 10

// work takes the messages of a queue, until ctx is over. What a worker is done with is
// acknowledged; where he fails, the message is given back, and the queue says how often.
func (d *Demo) work(ctx context.Context, queue string, do func(ctx context.Context, body []byte) error) {
	own := newDoor(d.o.HTTP) // a call that waits holds a connection
	path := native.Path("q", queue)
	take := url.Values{"max": {fmt.Sprint(mostTaken)}, "wait": {takeWait.String()}}
	for ctx.Err() == nil {
		var got rest.AllTaken
		if err := insist(ctx, func() error {
			return own.once(ctx, takeWithin, http.MethodPost, path+"/take", take, nil, &got)
		}); err != nil {
			return
		}
		done, back := rest.Receipts{}, rest.Receipts{}
		for _, m := range got.Messages {
			body := m.Base64
			if m.Body != nil {
				body = []byte(*m.Body)
			}
			if do(ctx, body) == nil {
				done.Receipts = append(done.Receipts, m.Receipt)
			} else {
				back.Receipts = append(back.Receipts, m.Receipt)
			}
		}
		answer := func(verb string, r rest.Receipts) {
			if len(r.Receipts) > 0 && ctx.Err() == nil {
				// A receipt that is stale, or a node that is down: the message comes again.
				_ = own.once(ctx, callWithin, http.MethodPost, path+"/"+verb, nil, r, nil)
			}
		}
		answer("ack", done)
		answer("nack", back)
	}
}

// job is what messages of rules say, each a part of it.
type job struct {
	Order, Customer, Cause, Why, Count string
	Total                              any
}

func readJob(body []byte) (j job, err error) { return j, json.Unmarshal(body, &j) }

// deadline is how long an order that is paid may take to leave.
const deadline = "20s"

var errPoison = errors.New("the total is no number")

// bill charges an order, says so, and has somebody look after it later.
func (d *Demo) bill(ctx context.Context, body []byte) error {
	j, err := readJob(body)
	if err != nil {
		return err
	}
	if _, ok := j.Total.(float64); !ok {
		d.tally.add(Poison)
		return errPoison // after three takes it is a dead letter
	}
	paid := map[string]any{"order": j.Order, "customer": j.Customer, "total": j.Total}
	if err := d.put(ctx, "OrderPaid", "billing", j.Order, j.Cause, "", paid); err != nil {
		return err
	}
	d.tally.add(Paid)
	late, err := json.Marshal(map[string]any{"order": j.Order, "cause": "OrderPaid-" + j.Order})
	if err != nil {
		return err
	}
	if err := d.door.insist(ctx, http.MethodPost, native.Path("q", "deadlines"), url.Values{"delay": {deadline}}, late, nil); err != nil {
		return err
	}
	d.tally.add(Waiting)
	return nil
}

// pack sends a parcel off, but for those that it cannot find.
func (d *Demo) pack(ctx context.Context, body []byte) error {
	var e struct {
		ID     string
		Detail struct {
			Order, Customer string
		}
	}
	if err := json.Unmarshal(body, &e); err != nil {
		return err
	}
	d.tally.add(Packed)
	if lost(e.Detail.Order) {
		return nil // nobody is told: the deadline finds out
	}
	if err := d.put(ctx, "OrderShipped", "warehouse", e.Detail.Order, e.ID, "", map[string]any{"order": e.Detail.Order, "customer": e.Detail.Customer}); err != nil {
		return err
	}
	d.tally.add(Shipped)
	return nil
}

// lost tells whether the warehouse has mislaid what was ordered.
func lost(key string) bool {
	_, number, _ := strings.Cut(key, "-")
	n, err := strconv.Atoi(number)
	return err == nil && n%7 == 2
}

// remind looks after an order whose time is over: one that did not leave is cancelled.
func (d *Demo) remind(ctx context.Context, body []byte) error {
	j, err := readJob(body)
	if err != nil {
		return err
	}
	state, err := d.state(ctx, j.Order)
	if err != nil || state != "OrderPaid" {
		return err
	}
	if err := d.put(ctx, "OrderCancelled", "saga", j.Order, j.Cause, "", map[string]any{"order": j.Order, "why": "it did not leave in " + deadline}); err != nil {
		return err
	}
	d.tally.add(Cancelled)
	return nil
}

// lookBack is how many states are looked at: more than come before a deadline.
const lookBack = "-1000"

// state is what last happened to an order, by the view.
func (d *Demo) state(ctx context.Context, key string) (string, error) {
	var page struct {
		Records []struct{ Value string }
	}
	query := url.Values{"from": {lookBack}, "max": {"1000"}, "where": {"key=" + key}}
	if err := d.door.insist(ctx, http.MethodGet, native.Path("t", viewTopic), query, nil, &page); err != nil || len(page.Records) == 0 {
		return "", err
	}
	var last struct{ State string }
	err := json.Unmarshal([]byte(page.Records[len(page.Records)-1].Value), &last)
	return last.State, err
}

// refund gives the money back.
func (d *Demo) refund(ctx context.Context, body []byte) error {
	j, err := readJob(body)
	if err != nil {
		return err
	}
	if err := d.put(ctx, "MoneyRefunded", "billing", j.Order, j.Cause, "", map[string]any{"order": j.Order, "why": j.Why}); err != nil {
		return err
	}
	d.tally.add(Refunded)
	return nil
}

// wrap packs the gift that comes with a large order of a good customer.
func (d *Demo) wrap(_ context.Context, body []byte) error {
	if _, err := readJob(body); err != nil {
		return err
	}
	d.tally.add(Gift)
	return nil
}

// count does what schedules ask for.
func (d *Demo) count(_ context.Context, body []byte) error {
	if _, err := readJob(body); err != nil {
		return err
	}
	d.tally.add(Scheduled)
	return nil
}
