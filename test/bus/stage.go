package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"ottla/test/realfault"
	"ottla/test/rig/mortal"
)

// door is the HTTP door of any node.
type door struct {
	addrs []string
	turn  int
}

// askWithin bounds one call; it is tried again at another node.
const (
	askWithin = 45 * time.Second // a rule is answered for when its runners go by it
	askFor    = 2 * time.Minute
)

// ask makes one call until a node answers it.
func (d *door) ask(ctx context.Context, method, path string, body, into any) error {
	var last error
	for begun := time.Now(); time.Since(begun) < askFor; {
		d.turn++
		status, err := d.once(ctx, d.addrs[d.turn%len(d.addrs)], method, path, body, into)
		if err == nil {
			return nil
		}
		if last = err; status >= 400 && status < 500 && status != http.StatusConflict && status != http.StatusTooManyRequests {
			return err
		}
		if err := realfault.Pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return last
}

func (d *door) once(ctx context.Context, addr, method, path string, body, into any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	var text []byte
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return 0, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, bytes.NewReader(text))
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		return 0, err
	}
	if resp.StatusCode >= 300 {
		return resp.StatusCode, fmt.Errorf("%s %s: %d %s", method, path, resp.StatusCode, answer)
	}
	if into == nil {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.Unmarshal(answer, into)
}

type object = map[string]any

// partitions of the bus, and of topics.
const partitions = 3

// tinyBytes is what the queue takes that events are too large for.
const tinyBytes = 1024

// build makes all places, then the rules.
func build(ctx context.Context, d *door, c mortal.Cluster, hook string) error {
	cl, err := clientOf(c.Addrs())
	if err != nil {
		return err
	}
	defer cl.Close()
	for _, topic := range []string{"out", "odds", "far", "replayed"} {
		made, err := kadm.NewClient(cl).CreateTopic(ctx, partitions, c.Replicas(), nil, topic)
		if err := errors.Join(err, made.Err); err != nil {
			return fmt.Errorf("make the topic %s: %w", topic, err)
		}
	}
	to := func(to string, more ...object) []object {
		t := object{"id": "t", "to": to}
		for _, m := range more {
			for k, v := range m {
				t[k] = v
			}
		}
		return []object{t}
	}
	all := `{"detail":{"lane":[{"exists":true}]}}`
	for _, x := range []struct {
		path string
		body object
	}{
		{"/q/q", object{}}, {"/q/dead", object{}}, {"/q/tiny", object{"max_message_bytes": tinyBytes}},
		{"/bus/shop", object{"partitions": partitions}}, {"/bus/second", object{"partitions": partitions}},
		{"/bus/shop/rules/all", object{"pattern": all, "targets": append(to("topic:out"), object{"id": "q", "to": "queue:q"})}},
		{"/bus/shop/rules/odds", object{"pattern": `{"detail":{"odd":[true]}}`, "targets": to("topic:odds")}},
		{"/bus/shop/rules/onward", object{"pattern": all, "targets": to("bus:second")}},
		{"/bus/second/rules/far", object{"pattern": all, "targets": to("topic:far")}},
		{"/bus/shop/rules/hook", object{"pattern": `{"detail":{"hook":[true]}}`, "targets": to(hook, object{
			"retry": object{"waits_ms": []int{50, 100, 200, 500}},
		})}},
		{"/bus/shop/rules/heavy", object{"pattern": `{"detail":{"heavy":[true]}}`, "targets": to("queue:tiny", object{"dead_letters": "dead"})}},
	} {
		if err := d.ask(ctx, http.MethodPut, x.path, x.body, nil); err != nil {
			return err
		}
	}
	return nil
}
