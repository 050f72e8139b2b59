package timers

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// APIs are the family's rows: one, for nodes alone.
func (f *Family) APIs() []api.API {
	row := api.Row(0, 0, func(ctx context.Context, _ *api.Conn, req *own.TimersRequest) (kmsg.Response, error) {
		return f.serve(ctx, req), nil
	})
	row.NodesOnly = true
	return []api.API{row}
}

// serve answers another node.
func (f *Family) serve(ctx context.Context, req *own.TimersRequest) *own.TimersResponse {
	resp := req.ResponseKind().(*own.TimersResponse)
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	a, err := f.here(ctx, question{partition: req.Partition, op: req.Op, items: req.Items, line: req.Line, from: req.From, to: req.To})
	if err != nil {
		resp.ErrorCode, resp.ErrorMessage = int16(wire.CodeOf(err)), err.Error()
		return resp
	}
	resp.Value, resp.Offset = a.value, a.offset
	for _, err := range a.errs {
		var r own.TimerResult
		if err != nil {
			r = own.TimerResult{ErrorCode: int16(wire.CodeOf(err)), ErrorMessage: err.Error()}
		}
		resp.Results = append(resp.Results, r)
	}
	return resp
}
