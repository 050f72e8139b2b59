package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/binding"
	"github.com/cloudevents/sdk-go/v2/event"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// within bounds one scenario.
const within = time.Minute

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cego:", err)
		os.Exit(1)
	}
}

// world is what the scenarios share.
type world struct{ kafka, prefix, base string }

func run(args []string) error {
	if len(args) != 3 {
		return fmt.Errorf("want a client, the broker's address and a prefix, got %q", args)
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, d := range info.Deps {
			if d.Path == "github.com/cloudevents/sdk-go/v2" {
				fmt.Println("VERSION", "sdk-go", d.Version)
			}
		}
	}
	w := &world{args[1], args[2], "http://" + os.Getenv("INTEROP_HTTP") + "/ce/"}
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"ce-binary", func(ctx context.Context) error { return w.sent(ctx, "ce-binary", binding.WithForceBinary(ctx)) }},
		{"ce-structured", func(ctx context.Context) error { return w.sent(ctx, "ce-structured", binding.WithForceStructured(ctx)) }},
		{"ce-batch", w.batch},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), within)
		err := s.do(ctx)
		cancel()
		if err != nil {
			fmt.Println("FAIL", s.name, strings.Join(strings.Fields(err.Error()), " "))
			continue
		}
		fmt.Println("PASS", s.name)
	}
	return nil
}

// events are what is sent: JSON, text and bytes as data, and none.
func events() ([]event.Event, error) {
	var all []event.Event
	var bad error
	add := func(id string, change func(*event.Event) error) {
		e := cloudevents.NewEvent()
		e.SetID(id)
		e.SetSource("/interop")
		e.SetType("order.placed")
		bad = errors.Join(bad, change(&e))
		all = append(all, e)
	}
	add("0", func(e *event.Event) error {
		e.SetSubject("order-7")
		e.SetTime(time.Date(2026, 11, 26, 16, 0, 0, 250_000_000, time.UTC))
		e.SetDataSchema("https://example.com/s")
		e.SetExtension("tenant", "a")
		e.SetExtension("partitionkey", "k")
		return e.SetData(cloudevents.ApplicationJSON, map[string]any{"total": 120.5, "name": "Grüße"})
	})
	add("1", func(e *event.Event) error { return e.SetData(cloudevents.TextPlain, "Grüße, \"you\"") })
	add("2", func(e *event.Event) error { return e.SetData("application/octet-stream", []byte{0xff, 0, 0xfe}) })
	add("3", func(*event.Event) error { return nil })
	return all, bad
}

// same compares two events.
func same(what string, got *event.Event, want event.Event) error {
	plain := func(e event.Event) string {
		return fmt.Sprintf("%s %s %s %q %s %q %s %v %q", e.ID(), e.Source(), e.Type(), e.Subject(), e.Time().UTC(), e.DataContentType(), e.DataSchema(), e.Extensions(), e.Data())
	}
	if g, w := plain(*got), plain(want); g != w {
		return fmt.Errorf("%s is %s, want %s", what, g, w)
	}
	return nil
}

func (w *world) topic(ctx context.Context, name string) (string, error) {
	c, err := kgo.NewClient(kgo.SeedBrokers(strings.Split(w.kafka, ",")...))
	if err != nil {
		return "", err
	}
	defer c.Close()
	topic := w.prefix + "-" + name
	made, err := kadm.NewClient(c).CreateTopic(ctx, 1, -1, nil, topic)
	if err == nil {
		err = made.Err
	}
	return topic, err
}

// sent sends each event in the mode of how, and reads them.
func (w *world) sent(ctx context.Context, name string, how context.Context) error {
	topic, err := w.topic(ctx, name)
	if err != nil {
		return err
	}
	p, err := cehttp.New(cehttp.WithTarget(w.base + topic))
	if err != nil {
		return err
	}
	c, err := cloudevents.NewClient(p) // one that puts no time into events that have none
	if err != nil {
		return err
	}
	all, err := events()
	if err != nil {
		return err
	}
	for _, e := range all {
		if err := c.Send(how, e); !cloudevents.IsACK(err) {
			return fmt.Errorf("send event %s: %w", e.ID(), err)
		}
	}
	return w.received(ctx, topic, all)
}

// batch sends all events in one request.
func (w *world) batch(ctx context.Context) error {
	topic, err := w.topic(ctx, "ce-batch")
	if err != nil {
		return err
	}
	all, err := events()
	if err != nil {
		return err
	}
	req, err := cehttp.NewHTTPRequestFromEvents(ctx, w.base+topic, all)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusAccepted {
		return fmt.Errorf("a batch: %s", resp.Status)
	}
	return w.received(ctx, topic, all)
}

// received reads each event in both modes, and all in a batch.
func (w *world) received(ctx context.Context, topic string, want []event.Event) error {
	for i, e := range want {
		for _, mode := range []string{"binary", "structured"} {
			resp, err := w.get(ctx, topic, fmt.Sprintf("mode=%s&from=%d", mode, i))
			if err != nil {
				return err
			}
			got, err := cehttp.NewEventFromHTTPResponse(resp)
			if err == nil {
				err = same(fmt.Sprintf("event %d in %s mode", i, mode), got, e)
			}
			resp.Body.Close()
			if err != nil {
				return err
			}
		}
	}
	resp, err := w.get(ctx, topic, "mode=batch")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := cehttp.NewEventsFromHTTPResponse(resp)
	if err != nil {
		return err
	}
	if len(got) != len(want) {
		return fmt.Errorf("%d events in a batch, want %d", len(got), len(want))
	}
	for i := range got {
		if err := same(fmt.Sprintf("event %d of a batch", i), &got[i], want[i]); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) get(ctx context.Context, topic, parameters string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.base+topic+"?wait=30s&"+parameters, bytes.NewReader(nil))
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err == nil && resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("%s: %s", parameters, resp.Status)
	}
	return resp, err
}
