package cluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

func TestANodeThatIsGoneIsForgotten(t *testing.T) {
	n := newNode(t, nil)
	n.create("a", []int32{1, 2}, []int32{2, 1})
	forget := func(id int32) (wire.Code, string) {
		req := kmsg.NewPtrUnregisterBrokerRequest()
		req.BrokerID = id
		resp := ask[*kmsg.UnregisterBrokerResponse](n, req, 0)
		return wire.Code(resp.ErrorCode), *resp.ErrorMessage
	}
	if code, text := forget(9); code != wire.BrokerIDNotRegistered || text != "Broker ID 9 is not currently registered" {
		t.Errorf("a node that nobody knows: %v %q", code, text)
	}
	if code, text := forget(2); code != wire.None || text != "" || n.img.Broker(2) != nil {
		t.Errorf("%v %q, %+v", code, text, n.img.Broker(2))
	}
	for _, p := range n.img.TopicByName("a").Partitions {
		if p.Leader != 1 || len(p.Replicas) != 2 || len(p.ISR) != 1 {
			t.Errorf("%+v", p)
		}
	}
	n.fail = errors.New("no quorum")
	if code, _ := forget(1); code != wire.UnknownServerError {
		t.Errorf("without a controller: %v", code)
	}
}

func TestAControllerThatVotesIsNotForgotten(t *testing.T) {
	n := newNode(t, nil)
	forget := func(id int32) (wire.Code, string) {
		req := kmsg.NewPtrUnregisterControllerRequest()
		req.ControllerID = id
		resp := ask[*kmsg.UnregisterControllerResponse](n, req, 0)
		return wire.Code(resp.ErrorCode), *resp.ErrorMessage
	}
	n.quorum.Leader, n.quorum.Voters = 2, []QuorumReplica{{ID: 1}, {ID: 2}}
	if code, text := forget(2); code != wire.InvalidRequest || text != "Controller cannot unregister itself while it is active." {
		t.Errorf("the one that leads: %v %q", code, text)
	}
	if code, text := forget(1); code != wire.InvalidRequest || !strings.Contains(text, "remove-controller") {
		t.Errorf("a voter: %v %q", code, text)
	}
	if code, text := forget(7); code != wire.ControllerIDNotRegistered || text != "Controller ID 7 is not currently registered." {
		t.Errorf("one that nobody knows: %v %q", code, text)
	}
	record := &metadata.RegisterControllerRecord{ControllerID: 7}
	n.c.Apply(record)
	var err error
	if n.img, _, err = n.img.With(n.img.Offset+1, 1, record); err != nil {
		t.Fatal(err)
	}
	if code, text := forget(7); code != wire.None || text != "" {
		t.Errorf("one that has no vote: %v %q", code, text)
	}
	if code, _ := forget(7); code != wire.ControllerIDNotRegistered {
		t.Errorf("a second time: %v", code)
	}
}

// slow is a controller that answers nothing in time.
type slow struct{ api.Cluster }

func (slow) Do(ctx context.Context, _ any) (any, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestForgettingHasItsTime(t *testing.T) {
	ctx, cancel := context.WithDeadline(context.Background(), time.Now().Add(-time.Second))
	defer cancel()
	h := &handlers{Deps{Cluster: slow{}}}
	if code, _ := h.unregister(ctx, nil); code != wire.RequestTimedOut {
		t.Errorf("got %v", code)
	}
}
