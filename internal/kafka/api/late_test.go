package api

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

// request is a FindCoordinator of a version as the door hands it on.
func request(version int16, body []byte) *Request {
	return &Request{Header: wire.Header{Key: 10, Version: version, CorrelationID: 77}, Body: body}
}

func TestALateAnswerIsBuiltWhenItIsThere(t *testing.T) {
	var finish Finish
	row := Late(0, 6, func(c *Conn, req *kmsg.FindCoordinatorRequest, f Finish) {
		if c.ID != 7 || req.CoordinatorKey != "key" {
			t.Errorf("the handler got %+v and %+v", c, req)
		}
		finish = f
	}, "It differs.")
	if row.Key != 10 || row.Max != 6 || row.Handle != nil || len(row.Differences) != 1 {
		t.Fatalf("got the row %+v", row)
	}
	q := kmsg.NewPtrFindCoordinatorRequest()
	q.CoordinatorKey = "key"
	body := q.AppendTo(nil)
	answer, err := row.Serve(&Conn{ID: 7}, request(0, body))
	if err != nil {
		t.Fatal(err)
	}
	clear(body) // it belongs to the connection again
	var out Out
	if done, err := answer.Build(&out); done || err != nil || answer.Place().IsReady() || len(out.Buf) > 0 {
		t.Errorf("built before it is there: %t, %v, %x", done, err, out.Buf)
	}
	finish(func() kmsg.Response {
		resp := q.ResponseKind().(*kmsg.FindCoordinatorResponse)
		resp.NodeID = 5
		return resp
	})
	if done, err := answer.Build(&out); !done || err != nil || !answer.Place().IsReady() {
		t.Fatalf("not built: %t, %v", done, err)
	}
	if size := int(binary.BigEndian.Uint32(out.Buf)); size != len(out.Buf)-4 || binary.BigEndian.Uint32(out.Buf[4:]) != 77 {
		t.Errorf("the frame is %x", out.Buf)
	}
	resp := q.ResponseKind().(*kmsg.FindCoordinatorResponse)
	if err := resp.ReadFrom(out.Buf[8:]); err != nil || resp.NodeID != 5 {
		t.Errorf("the answer is %+v, %v", resp, err)
	}
	answer.Drop()
}

func TestALateRowRefusesWhatIsNoRequest(t *testing.T) {
	row := Late(0, 6, func(*Conn, *kmsg.FindCoordinatorRequest, Finish) { t.Error("the handler was asked") })
	if a, err := row.Serve(&Conn{}, request(0, []byte{0, 9, 'x'})); a != nil || err == nil {
		t.Errorf("a body that ends early: %v, %v", a, err)
	}
	if a, err := row.Serve(&Conn{}, &Request{Header: wire.Header{Key: 12}, Body: kmsg.NewPtrHeartbeatRequest().AppendTo(nil)}); a != nil || err == nil {
		t.Errorf("a request of another API: %v, %v", a, err)
	}
}

func TestGatherWaitsForAll(t *testing.T) {
	var dones []func(any, error)
	var got []Said
	Gather(3, func(_ int, done func(any, error)) { dones = append(dones, done) }, func(all []Said) { got = all })
	broken := errors.New("broken")
	dones[2]("c", nil)
	dones[0](nil, broken)
	if got != nil {
		t.Fatalf("done before the last: %v", got)
	}
	dones[1]("b", nil)
	if want := []Said{{nil, broken}, {"b", nil}, {"c", nil}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	called := false
	Gather(0, nil, func(all []Said) { called = len(all) == 0 })
	if !called {
		t.Error("nothing to wait for, and it waits")
	}
}
