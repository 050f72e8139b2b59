package queues

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/kafka/api"
	"ottla/internal/kafka/shares/lead"
	"ottla/internal/outbox"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// Firsts tells of records of a part with deduplication ids, which were just
// written, which they repeat, or that it is themselves.
func (l *Leases) Firsts(ctx context.Context, p Part, of []lead.Written) ([]lead.First, error) {
	node, err := l.leader(p)
	if err != nil {
		return nil, err
	}
	if l.here(node) {
		return l.firstsHere(ctx, p, of)
	}
	return l.firstsThere(ctx, node, p, of)
}

func (l *Leases) firstsHere(ctx context.Context, p Part, of []lead.Written) ([]lead.First, error) {
	at, err := l.part(ctx, p)
	if err != nil {
		return nil, err
	}
	return at.Firsts(of)
}

func (l *Leases) firstsThere(ctx context.Context, node int32, p Part, of []lead.Written) ([]lead.First, error) {
	req := &own.QueueFirstsRequest{QueuePart: p.own()}
	for i := range of {
		req.Records = append(req.Records, own.QueueWritten{Offset: of[i].Offset, AtMs: of[i].AtMs, ID: of[i].ID})
	}
	resp, err := outbox.Call[*own.QueueFirstsResponse](ctx, l.o.Peers, node, req)
	if err != nil {
		return nil, unreached(node, err)
	}
	if err := said(node, resp.ErrorCode, resp.ErrorMessage); err != nil {
		return nil, err
	}
	if len(resp.Firsts) != len(of) {
		return nil, wire.Errorf(wire.UnknownServerError, "node %d answered of %d of %d records", node, len(resp.Firsts), len(of))
	}
	out := make([]lead.First, len(of))
	for i := range out {
		out[i] = lead.First(resp.Firsts[i])
	}
	return out, nil
}

func (l *Leases) serveFirsts(ctx context.Context, _ *api.Conn, req *own.QueueFirstsRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*own.QueueFirstsResponse)
	of := make([]lead.Written, 0, len(req.Records))
	for i := range req.Records {
		x := &req.Records[i]
		of = append(of, lead.Written{Offset: x.Offset, AtMs: x.AtMs, ID: x.ID})
	}
	var got []lead.First
	err := error(wire.InvalidRequest)
	if len(of) <= mostWords {
		got, err = l.firstsHere(ctx, partOf(req.QueuePart), of)
	}
	resp.ErrorCode, resp.ErrorMessage = told(err)
	for i := range got {
		resp.Firsts = append(resp.Firsts, own.QueueFirst(got[i]))
	}
	return resp, nil
}
