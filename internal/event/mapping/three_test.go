package mapping_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/rig/trio"
)

// ask is one call of a node's native door, again while no leader answers.
func ask(ctx context.Context, t *testing.T, address, method, path, body string) {
	t.Helper()
	for {
		req, err := http.NewRequestWithContext(ctx, method, "http://"+address+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatalf("%s %s: %v", method, path, err)
		}
		resp.Body.Close()
		switch {
		case resp.StatusCode < 300:
			return
		case resp.StatusCode != http.StatusServiceUnavailable:
			t.Fatalf("%s %s: %s", method, path, resp.Status)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("%s %s: %s", method, path, resp.Status)
		}
	}
}

// Whichever node ends, another has the function take what is left of the topic and of the
// queue.
func TestAnotherNodeGoesOn(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	b := &bill{came: make(chan struct{}, 1)}
	b.Server = httptest.NewServer(http.HandlerFunc(b.take))
	t.Cleanup(b.Close)
	file := filepath.Join(t.TempDir(), "functions.yaml")
	if err := os.WriteFile(file, []byte("functions:\n  bill: {url: "+b.URL+"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := trio.Start(t, trio.Options{HTTP: true, Settings: map[string]string{"functions.file": file}})
	kafka := c.Client()
	made, err := kadm.NewClient(kafka).CreateTopic(ctx, 1, 3, nil, "orders")
	if err != nil || made.Err != nil {
		t.Fatal(err, made.Err)
	}
	leader := int(c.Partition("orders", 0).Leader)
	stays := leader%3 + 1
	door := func() string { return c.Node(stays).HTTPAddr() }
	ask(ctx, t, door(), "PUT", "/q/jobs", `{"visibility_ms":1000}`)
	ask(ctx, t, door(), "PUT", "/mapping/orders-bill", `{"source":"topic:orders","function":"bill","batch":3}`)
	ask(ctx, t, door(), "PUT", "/mapping/jobs-bill", `{"source":"queue:jobs","function":"bill","deadline_ms":1000}`)
	want := map[string]bool{}
	put := func(round int) {
		for i := range 10 {
			v := fmt.Sprintf("%d.%d", round, i)
			want["orders "+v], want["jobs "+v] = true, true
			if err := kafka.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte(v)}).FirstErr(); err != nil {
				t.Fatal(err)
			}
			ask(ctx, t, door(), "POST", "/q/jobs", v)
		}
	}
	put(0)
	c.Stop(leader)
	put(1)
	for {
		came := map[string]bool{}
		for _, event := range b.all() {
			var e kafkaEvent
			if json.Unmarshal(event, &e) == nil && e.Source == "aws:SelfManagedKafka" {
				for _, rec := range e.Records["orders-0"] {
					came["orders "+string(rec.Value)] = true
				}
				continue
			}
			for _, m := range sqsOf(t, event).Records {
				came["jobs "+m.Body] = true
			}
		}
		missing := 0
		for v := range want {
			if !came[v] {
				missing++
			}
		}
		if missing == 0 {
			return
		}
		select {
		case <-b.came:
		case <-ctx.Done():
			t.Fatalf("%d of %d did not come", missing, len(want))
		}
	}
}
