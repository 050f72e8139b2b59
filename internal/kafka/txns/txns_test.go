package txns

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// fakeController gives out blocks of three.
type fakeController struct {
	mu   sync.Mutex
	next int64
	asks int
	err  error
}

func (c *fakeController) Image() *metadata.Image { return metadata.Empty() }

func (c *fakeController) Do(_ context.Context, cmd any) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := cmd.(controller.AllocateProducerIDs); !ok {
		return nil, errors.New("another command than AllocateProducerIDs")
	}
	if c.err != nil {
		return nil, c.err
	}
	c.asks++
	first := c.next
	c.next += 3
	return controller.ProducerIDs{First: first, Count: 3}, nil
}

func call(t *testing.T, f *Family, edit func(*kmsg.InitProducerIDRequest)) *kmsg.InitProducerIDResponse {
	t.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.SetVersion(5)
	req.ProducerID, req.ProducerEpoch = -1, -1
	if edit != nil {
		edit(req)
	}
	resp, err := f.initProducerID(t.Context(), &api.Conn{}, req)
	if err != nil {
		t.Fatal(err)
	}
	return resp.(*kmsg.InitProducerIDResponse)
}

func TestEachProducerGetsAnIDOfItsOwn(t *testing.T) {
	c := &fakeController{next: 4000}
	f := New(Deps{Cluster: c})
	var mu sync.Mutex
	seen := map[int64]bool{}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			resp := call(t, f, nil)
			mu.Lock()
			defer mu.Unlock()
			if resp.ErrorCode != 0 || resp.ProducerEpoch != 0 || seen[resp.ProducerID] || resp.ProducerID < 4000 || resp.ProducerID >= 4021 {
				t.Errorf("answer %+v", resp)
			}
			seen[resp.ProducerID] = true
		})
	}
	wg.Wait()
	if c.asks != 7 {
		t.Errorf("the controller was asked %d times for blocks of three, want 7", c.asks)
	}
	old := call(t, f, func(r *kmsg.InitProducerIDRequest) { r.ProducerID, r.ProducerEpoch = 4000, 7 })
	if old.ErrorCode != 0 || seen[old.ProducerID] || old.ProducerEpoch != 0 {
		t.Errorf("a producer that names its id: %+v, want a new id with epoch 0", old)
	}
}

func TestRefusals(t *testing.T) {
	text := func(s string) *string { return &s }
	tests := []struct {
		name string
		edit func(*kmsg.InitProducerIDRequest)
		want wire.Code
	}{
		{"empty transactional id", func(r *kmsg.InitProducerIDRequest) { r.TransactionalID = text("") }, wire.InvalidRequest},
		{"id without epoch", func(r *kmsg.InitProducerIDRequest) { r.ProducerID = 5 }, wire.InvalidRequest},
		{"epoch without id", func(r *kmsg.InitProducerIDRequest) { r.ProducerEpoch = 5 }, wire.InvalidRequest},
	}
	f := New(Deps{Cluster: &fakeController{}})
	for _, tc := range tests {
		resp := call(t, f, tc.edit)
		if resp.ErrorCode != int16(tc.want) || resp.ProducerID != -1 || resp.ProducerEpoch != -1 {
			t.Errorf("%s: %+v, want code %d", tc.name, resp, tc.want)
		}
	}
}

func TestAControllerThatFailsIsTriedAgain(t *testing.T) {
	c := &fakeController{err: errors.New("no quorum")}
	f := New(Deps{Cluster: c})
	if resp := call(t, f, nil); resp.ErrorCode != int16(wire.CoordinatorLoadInProgress) {
		t.Errorf("code %d, want %d", resp.ErrorCode, wire.CoordinatorLoadInProgress)
	}
	c.err = wire.NotController
	if resp := call(t, f, nil); resp.ErrorCode != int16(wire.NotController) {
		t.Errorf("code %d, want %d", resp.ErrorCode, wire.NotController)
	}
	c.err = nil
	if resp := call(t, f, nil); resp.ErrorCode != 0 {
		t.Errorf("code %d after the controller is back", resp.ErrorCode)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	f.ids.turn <- struct{}{}
	if _, err := f.take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting ended with %v", err)
	}
}
