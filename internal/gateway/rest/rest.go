package rest

import (
	"context"
	"log/slog"
	"net/http"

	"ottla/internal/event/name"
	"ottla/internal/event/queue"
	"ottla/internal/gateway/front"
)

// QueueService is what the door asks of queues; internal/event/queue has it.
type QueueService interface {
	Create(ctx context.Context, ref queue.Ref, spec queue.Spec) (q queue.Queue, created bool, err error)
	Get(ctx context.Context, ref queue.Ref) (queue.Queue, error)
	List(ctx context.Context, prefix queue.Ref, after string, most int) (queues []queue.Queue, next string, err error)
	Update(ctx context.Context, ref queue.Ref, change func(*queue.Spec) error) (queue.Queue, error)
	Delete(ctx context.Context, ref queue.Ref) error
	Purge(ctx context.Context, ref queue.Ref) error
	Stats(ctx context.Context, ref queue.Ref) (queue.Stats, error)

	Send(ctx context.Context, ref queue.Ref, messages []queue.Message) ([]queue.Sent, error)
	Take(ctx context.Context, ref queue.Ref, o queue.TakeOptions) ([]queue.Taken, error)
	Ack(ctx context.Context, ref queue.Ref, receipts []string) []error
	Nack(ctx context.Context, ref queue.Ref, nacks []queue.Nack) []error
	Extend(ctx context.Context, ref queue.Ref, extensions []queue.Extension) []error
	Reject(ctx context.Context, ref queue.Ref, receipts []string) []error

	Browse(ctx context.Context, ref queue.Ref, o queue.BrowseOptions) (found []queue.Lying, next string, err error)
	Revise(ctx context.Context, ref queue.Ref, v queue.Revision) (written string, err error)
	Explain(ctx context.Context, ref queue.Ref) (queue.Standing, error)

	StartChosen(ctx context.Context, from queue.Ref, to *queue.Ref, ratePerSecond int32, where []string) (queue.Move, error)
	CancelMove(ctx context.Context, handle string) (queue.Move, error)
	ListMoves(ctx context.Context, from queue.Ref, most int) ([]queue.Move, error)
}

// Options make the door.
type Options struct {
	Queues    QueueService
	Schedules ScheduleService // nil for none
	Buses     BusService      // nil for none
	// Connections are those of API destinations; nil for none.
	Connections ConnectionService
	SNS         SNSService      // nil for none
	Mappings    MappingService  // nil for none
	Lookback    LookbackService // nil for none
	// Trusted takes calls from other machines, too.
	Trusted bool
	Logger  *slog.Logger
}

// door answers native calls. It is safe for concurrent use.
type door struct {
	Options
}

// Mount puts the door's routes into mux.
func Mount(mux *http.ServeMux, o Options) {
	d := &door{o}
	for pattern, do := range d.queueRoutes() {
		mux.Handle(pattern, d.guarded(do))
	}
	if d.Schedules != nil {
		for pattern, do := range d.scheduleRoutes() {
			mux.Handle(pattern, d.guarded(do))
		}
	}
	if d.Buses != nil {
		for pattern, do := range d.busRoutes() {
			mux.Handle(pattern, d.guarded(do))
		}
	}
	if d.Connections != nil {
		for pattern, do := range d.connectionRoutes() {
			mux.Handle(pattern, d.guarded(do))
		}
	}
	if d.Lookback != nil {
		for pattern, do := range d.lookbackRoutes() {
			mux.Handle(pattern, d.guarded(do))
		}
	}
	if d.Mappings != nil {
		for pattern, do := range d.mappingRoutes() {
			mux.Handle(pattern, d.guarded(do))
		}
	}
	if d.SNS != nil {
		for pattern, do := range d.snsRoutes() {
			mux.Handle(pattern, d.guarded(do))
		}
	}
}

func (d *door) queueRoutes() map[string]handler {
	return map[string]handler{
		"GET /q":                    d.listQueues,
		"PUT /q/{name}":             d.createQueue,
		"GET /q/{name}":             d.describeQueue,
		"PATCH /q/{name}":           d.updateQueue,
		"DELETE /q/{name}":          d.deleteQueue,
		"POST /q/{name}/purge":      d.purgeQueue,
		"POST /q/{name}":            d.send,
		"POST /q/{name}/batch":      d.sendBatch,
		"GET /q/{name}/take":        d.take,
		"POST /q/{name}/take":       d.take,
		"POST /q/{name}/ack":        d.ack,
		"POST /q/{name}/nack":       d.nack,
		"POST /q/{name}/extend":     d.extend,
		"POST /q/{name}/reject":     d.reject,
		"POST /q/{name}/moves":      d.startMove,
		"GET /q/{name}/moves":       d.listMoves,
		"GET /q/{name}/messages":    d.browse,
		"GET /q/{name}/explain":     d.explain,
		"GET /dlq":                  d.listDeadLetters,
		"DELETE /moves/{handle...}": d.cancelMove,

		"POST /q/{name}/messages/{letter}/revise": d.revise,
	}
}

// handler answers one route; an error that it gives is written for it.
type handler func(w http.ResponseWriter, r *http.Request) error

// guarded refuses who may not call, and writes errors.
func (d *door) guarded(do handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		err := d.admit(r)
		if err == nil {
			err = do(w, r)
		}
		if err != nil {
			d.refuse(w, r.Method, r.URL.Path, err)
		}
	})
}

// admit tells whether the caller may call.
func (d *door) admit(r *http.Request) error {
	switch {
	case !d.Trusted && !front.FromHere(r):
		return &problem{http.StatusForbidden, Error{Code: "NOT_ALLOWED",
			Message: "calls are taken from this machine only: there is no login yet",
			Hint:    "run the node with --insecure where the network is trusted"}, nil}
	case front.FromPage(r):
		return &problem{http.StatusForbidden, Error{Code: "NOT_ALLOWED", Message: "a page of another site may not make calls"}, nil}
	}
	return nil
}

// refOf is the queue that a request is about.
func refOf(r *http.Request) queue.Ref { return placed(r, r.PathValue("name")) }

// placed is a queue of the place that the request names, else of the default
// one.
func placed(r *http.Request, called string) queue.Ref {
	ref := queue.Ref{Account: name.DefaultAccount, Region: name.DefaultRegion, Name: called}
	q := r.URL.Query()
	if v := q.Get("region"); v != "" {
		ref.Region = v
	}
	if v := q.Get("account"); v != "" {
		ref.Account = v
	}
	return ref
}
