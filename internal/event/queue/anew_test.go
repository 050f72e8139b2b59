package queue_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// A queue is deleted and made again under its name, each time at another node. All
// nodes send to the new one, and nothing of the old one is in it.
func TestAQueueThatIsMadeAgainIsAnother(t *testing.T) {
	_, nodes := three(t)
	for round := range 4 {
		if code := nodes[round%3].ask("PUT", "/q/orders", `{"visibility_ms":600000}`, nil); code != http.StatusCreated {
			t.Fatalf("round %d: create: %d", round, code)
		}
		for i, n := range nodes {
			n.ask("POST", "/q/orders", fmt.Sprint(round, i), nil)
		}
		got := map[string]bool{}
		for !t.Failed() && len(got) < len(nodes) {
			for _, m := range nodes[(round+1)%3].take("wait=20s&max=10") {
				got[m.Body] = true
			}
		}
		for i := range nodes {
			if !got[fmt.Sprint(round, i)] {
				t.Errorf("round %d: got %v", round, got)
			}
		}
		nodes[(round+2)%3].ask("DELETE", "/q/orders", "", nil)
	}
}

// A topic takes less than queues may send, and then even less. At every node messages
// go in batches that it takes, and one that is too large by itself is refused by
// itself.
func TestBatchesAreAsLargeAsTheTopicTakes(t *testing.T) {
	c, nodes := three(t)
	admin := kadm.NewClient(c.Client())
	most := "8000"
	if _, err := admin.CreateTopic(nodes[0].ctx, 1, 3, map[string]*string{"max.message.bytes": &most}, "orders"); err != nil {
		t.Fatal(err)
	}
	nodes[0].ask("PUT", "/q/orders", "", nil)
	for _, size := range []int{3000, 1500} {
		for i, n := range nodes {
			n.sendSizes(i+1, size, size, size, 9000, size, size)
		}
		most = "4000"
		_, err := admin.AlterTopicConfigs(nodes[0].ctx, []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "max.message.bytes", Value: &most}}, "orders")
		if err != nil {
			t.Fatal(err)
		}
	}
}

// sendSizes sends messages of so many bytes in one request; those of 9000 are refused.
func (d door) sendSizes(node int, sizes ...int) {
	d.t.Helper()
	var all struct {
		Messages []map[string]string `json:"messages"`
	}
	for _, n := range sizes {
		all.Messages = append(all.Messages, map[string]string{"body": strings.Repeat("x", n)})
	}
	body, err := json.Marshal(all)
	if err != nil {
		d.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(d.ctx, "POST", "http://"+d.addr+"/q/orders/batch", strings.NewReader(string(body)))
	if err != nil {
		d.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		d.t.Fatal(err)
	}
	defer resp.Body.Close()
	var got struct {
		Sent []struct {
			ID    string
			Error *struct{ Code, Message string }
		}
	}
	if err := json.NewDecoder(resp.Body).Decode(&got); err != nil || len(got.Sent) != len(sizes) {
		d.t.Fatalf("node %d: %d, %+v, %v", node, resp.StatusCode, got, err)
	}
	for i, r := range got.Sent {
		if tooLarge := sizes[i] == 9000; tooLarge != (r.Error != nil && r.Error.Code == "TOO_LARGE") || tooLarge == (r.ID != "") {
			d.t.Errorf("node %d, message %d of %d bytes: %q, %+v", node, i, sizes[i], r.ID, r.Error)
		}
	}
}
