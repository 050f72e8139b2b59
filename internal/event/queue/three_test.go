package queue_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/test/rig/trio"
)

// door speaks to one node over HTTP.
type door struct {
	t    *testing.T
	ctx  context.Context
	addr string
}

func (d door) ask(method, path, body string, into any) int {
	d.t.Helper()
	req, err := http.NewRequestWithContext(d.ctx, method, "http://"+d.addr+path, bytes.NewReader([]byte(body)))
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Errorf("%s %s: %v", method, path, err)
		return 0
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		d.t.Errorf("%s %s: %v", method, path, err)
		return 0
	}
	if resp.StatusCode >= 300 {
		d.t.Errorf("%s %s at %s: %d %s", method, path, d.addr, resp.StatusCode, answer)
	} else if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			d.t.Errorf("%s %s: %v in %s", method, path, err, answer)
		}
	}
	return resp.StatusCode
}

// message is what take answers, as far as the test reads it.
type message struct {
	ID, Receipt, Body string
	Count             int
}

func (d door) take(query string) []message {
	d.t.Helper()
	var got struct{ Messages []message }
	d.ask("POST", "/q/orders/take?"+query, "", &got)
	return got.Messages
}

func three(t *testing.T) (*trio.Cluster, []door) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	c := trio.Start(t, trio.Options{HTTP: true})
	var out []door
	for n := 1; n <= 3; n++ {
		out = append(out, door{t, ctx, c.Node(n).HTTPAddr()})
	}
	return c, out
}

// Messages of partitions that three nodes lead are sent, taken and acknowledged
// at any of them, each once.
func TestAQueueIsOneAtEveryNode(t *testing.T) {
	_, nodes := three(t)
	nodes[0].ask("PUT", "/q/orders", `{"partitions":6,"visibility_ms":600000}`, nil)
	const n = 60
	for i := range n {
		nodes[i%3].ask("POST", "/q/orders", fmt.Sprint(i), nil)
	}
	var mu sync.Mutex
	var seen []string
	var way sync.WaitGroup
	for _, d := range nodes {
		way.Go(func() {
			for {
				got := d.take("max=5")
				if len(got) == 0 {
					return
				}
				for i, m := range got {
					if m.Count != 1 {
						t.Errorf("%s was taken %d times", m.Body, m.Count)
					}
					mu.Lock()
					seen = append(seen, fmt.Sprintf("%3s", m.Body))
					mu.Unlock()
					nodes[(i+1)%3].ask("POST", "/q/orders/ack?receipt="+m.Receipt, "", nil) // any node takes a receipt
				}
			}
		})
	}
	way.Wait()
	slices.Sort(seen)
	if len(seen) != n || len(slices.Compact(seen)) != n {
		t.Errorf("%d messages were taken, %d of them different; want %d: %v", len(seen), len(slices.Compact(slices.Clone(seen))), n, seen)
	}
	for i, d := range nodes {
		var q struct {
			Counts struct {
				Waiting  int
				InFlight int `json:"in_flight"`
			}
		}
		d.ask("GET", "/q/orders", "", &q)
		if q.Counts.Waiting != 0 || q.Counts.InFlight != 0 {
			t.Errorf("node %d counts %+v", i+1, q.Counts)
		}
	}
}

// Whoever waits at a node that leads nothing of the queue hears of a message,
// and a queue outlives the node that led it.
func TestAQueueOutlivesANodeAndWaitersAtOthersAreWoken(t *testing.T) {
	c, nodes := three(t)
	nodes[1].ask("PUT", "/q/orders", `{"partitions":3,"visibility_ms":600000}`, nil)
	for at := range nodes {
		got := make(chan []message, 1)
		go func() {
			for {
				if all := nodes[at].take("wait=20s"); len(all) > 0 || t.Failed() {
					got <- all
					return
				}
			}
		}()
		for i := range 3 { // one for each partition, so that others lead some
			nodes[(at+1)%3].ask("POST", fmt.Sprintf("/q/orders?group=g%d", i), "wake", nil)
		}
		if all := <-got; len(all) != 1 {
			t.Errorf("node %d: %v", at+1, all)
		}
		for {
			all := nodes[at].take("max=10")
			if len(all) == 0 {
				break
			}
		}
	}
	nodes[0].ask("POST", "/q/orders", "kept", nil)
	held := nodes[0].take("")
	if len(held) != 1 || held[0].Body != "kept" {
		t.Fatalf("got %v", held)
	}
	c.Stop(3)
	nodes[1].ask("POST", "/q/orders/ack?receipt="+held[0].Receipt, "", nil)
	for i := range 6 {
		nodes[i%2].ask("POST", "/q/orders", fmt.Sprint("after ", i), nil)
	}
	seen := 0
	for seen < 6 {
		got := nodes[seen%2].take("max=10&wait=20s")
		seen += len(got)
		if t.Failed() {
			return
		}
	}
	if seen != 6 {
		t.Errorf("%d messages, want 6", seen)
	}
}

// leader is the node that leads the first partition of a topic.
func (d door) leader(c *trio.Cluster, topic string) int {
	d.t.Helper()
	k := c.Client()
	defer k.Close()
	req := kmsg.NewPtrMetadataRequest()
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(topic)
	req.Topics = append(req.Topics, t)
	resp, err := req.RequestWith(d.ctx, k)
	if err != nil || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) == 0 {
		d.t.Fatalf("who leads %s: %+v, %v", topic, resp, err)
	}
	return int(resp.Topics[0].Partitions[0].Leader)
}

// try reads something that may not be there to be read.
func (d door) try(path string, into any) error {
	req, err := http.NewRequestWithContext(d.ctx, "GET", "http://"+d.addr+path, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// eventually asks until something holds.
func (d door) eventually(what string, holds func() bool) {
	d.t.Helper()
	for !holds() {
		select {
		case <-d.ctx.Done():
			d.t.Fatalf("never: %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A move that was begun by a node which is gone goes on at the next leader of its
// queue, and each message is moved once.
func TestAMoveGoesOnAtAnotherNode(t *testing.T) {
	c, nodes := three(t)
	nodes[0].ask("PUT", "/q/orders", `{"visibility_ms":600000}`, nil)
	nodes[0].ask("PUT", "/q/from", "", nil)
	const n = 60
	for i := range n {
		nodes[i%3].ask("POST", "/q/from", fmt.Sprint(i), nil)
	}
	first := nodes[0].leader(c, "from")
	other := nodes[first%3]
	var move struct{ Handle string }
	other.ask("POST", "/q/from/moves", `{"to":"orders","rate":40}`, &move)
	waiting := func(name string) int { // while a leader is gone it may not be told
		var q struct{ Counts struct{ Waiting int } }
		if other.try("/q/"+name, &q) != nil {
			return -1
		}
		return q.Counts.Waiting
	}
	other.eventually("the move begins", func() bool { return waiting("orders") > 0 })
	c.Stop(first)
	status := ""
	other.eventually("the move ends", func() bool {
		var all struct {
			Moves []struct{ Handle, Status string }
		}
		if other.try("/q/from/moves", &all) != nil {
			return false
		}
		for _, m := range all.Moves {
			if m.Handle == move.Handle {
				status = m.Status
			}
		}
		return status != "RUNNING"
	})
	seen := map[string]int{}
	other.eventually("it is told what is left", func() bool { return waiting("orders") >= 0 && waiting("from") >= 0 })
	for {
		got := other.take("max=100")
		if len(got) == 0 {
			break
		}
		for _, m := range got {
			seen[m.Body]++
		}
	}
	for i := range n {
		if k := seen[fmt.Sprint(i)]; k != 1 {
			t.Errorf("message %d was moved %d times", i, k)
		}
	}
	if left := waiting("from"); status != "COMPLETED" || left != 0 {
		t.Errorf("the move is %s, and %d messages are left", status, left)
	}
}
