package queue_test

import (
	"fmt"
	"net/http"
	"testing"
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
