package tail

import (
	"context"
	"errors"
	"testing"
)

func TestTopicsWaitForThemselvesOnly(t *testing.T) {
	var all turns
	take := func(topic string) func() {
		t.Helper()
		end, err := all.take(t.Context(), topic)
		if err != nil {
			t.Fatal(err)
		}
		return end
	}
	a := take("a")
	take("b")() // at once
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := all.take(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("who cannot wait: %v", err)
	}
	next := make(chan func())
	go func() {
		end, _ := all.take(context.Background(), "a")
		next <- end
	}()
	a()
	(<-next)()
	take("a")()
	if len(all.of) != 0 {
		t.Errorf("kept: %v", all.of)
	}
}
