package api

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/wire"
)

func TestARowServesItsOwnRequestsOnly(t *testing.T) {
	conn := &Conn{ID: 7}
	row := Row(2, 5, func(_ context.Context, c *Conn, req *kmsg.DeleteTopicsRequest) (kmsg.Response, error) {
		if c != conn || req.TimeoutMillis != 9 {
			t.Errorf("the handler got %+v and %+v", c, req)
		}
		return req.ResponseKind(), nil
	}, "It differs.")
	if row.Key != 20 || row.Min != 2 || row.Max != 5 || row.ListedMin != 2 || len(row.Differences) != 1 || row.Serve != nil {
		t.Errorf("got the row %+v", row)
	}
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.TimeoutMillis = 9
	resp, err := row.Handle(context.Background(), conn, req)
	if _, ok := resp.(*kmsg.DeleteTopicsResponse); !ok || err != nil {
		t.Errorf("got %T, %v", resp, err)
	}
	resp, err = row.Handle(context.Background(), conn, kmsg.NewPtrHeartbeatRequest())
	if resp != nil || wire.CodeOf(err) != wire.UnknownServerError {
		t.Errorf("a request of another API: got %v, %v", resp, err)
	}
}
