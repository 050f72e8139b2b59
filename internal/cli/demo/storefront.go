package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"ottla/internal/cli/native"
	"ottla/internal/event/envelope"
)

// bus is where all that happens in the shop is said.
const bus = "shop"

// order is one order as it is placed. Its number says what will become of it, so that
// all of it happens in the first two dozen.
type order struct {
	n   int
	key string // its number for people, which no other run has
}

var (
	customers = []string{"ada", "bob", "cleo", "dan", "eve"}
	items     = []struct {
		name  string
		total int
	}{{"cup", 12}, {"teapot", 48}, {"kettle", 89}, {"lamp", 240}, {"table", 620}, {"spoon", 3}, {"bowl", 27}}
)

func (o order) customer() string { return customers[o.n%len(customers)] }

// late tells whether the storefront's network holds it up.
func (o order) late() bool { return o.n%10 == 3 }

// poisoned tells whether its total is none.
func (o order) poisoned() bool { return o.n%13 == 5 }

func (o order) data() map[string]any {
	item := items[o.n%len(items)]
	d := map[string]any{"order": o.key, "number": o.n, "customer": o.customer(), "item": item.name, "total": item.total}
	if o.customer() == "ada" {
		d["tier"] = "gold"
	}
	if o.poisoned() {
		d["total"] = "a present"
	}
	return d
}

// put says on the bus that something happened to an order: because of cause, the id of
// another event, unless that is "".
func (d *Demo) put(ctx context.Context, kind, source, key, cause, at string, data map[string]any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	e := envelope.Event{ID: kind + "-" + key, Source: "shop." + source, Type: kind, Subject: "order/" + key, Time: at, DataContentType: envelope.JSON, Data: text}
	e.Set("correlationid", key)
	e.Set("causationid", cause)
	content := native.Content{Type: "application/cloudevents+json", Bytes: e.AppendCloudEvent(nil)}
	return d.door.insist(ctx, http.MethodPost, native.Path("ce", bus), nil, content, nil)
}

func (d *Demo) place(ctx context.Context, o order, at string) error {
	if err := d.put(ctx, "OrderPlaced", "storefront", o.key, "", at, o.data()); err != nil {
		return err
	}
	d.tally.add(Placed)
	return nil
}

// heldFor is by how many later orders a late one is overtaken.
const heldFor = 3

// sell puts orders, until there were as many as are wanted or ctx is over.
func (d *Demo) sell(ctx context.Context) {
	var held []order
	var since string // when the held one was placed
	beat := time.NewTicker(d.o.Pace)
	defer beat.Stop()
	for n := 1; ctx.Err() == nil && (d.o.Orders == 0 || n <= d.o.Orders); n++ {
		o := order{n, fmt.Sprintf("%s-%d", d.run, n)}
		switch {
		case o.late():
			now, err := d.door.clock(ctx)
			if err != nil {
				return
			}
			held, since = append(held, o), string(envelope.AppendTime(nil, now.UnixMilli()))
		case d.place(ctx, o, "") != nil:
			return
		}
		if len(held) > 0 && n == held[0].n+heldFor {
			if d.place(ctx, held[0], since) != nil {
				return
			}
			d.tally.add(Late)
			held = held[1:]
		}
		select {
		case <-beat.C:
		case <-ctx.Done():
		}
	}
}
