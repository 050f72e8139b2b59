package rest

import (
	"context"
	"net/http"

	"ottla/internal/event/bus"
	"ottla/internal/event/lookback"
)

// LookbackService is what the door asks of what was; internal/event/lookback has it.
type LookbackService interface {
	Trace(ctx context.Context, q lookback.Query) (lookback.Trace, error)
	Review(ctx context.Context, ref bus.Ref, last int) (lookback.Review, error)
}

func (d *door) lookbackRoutes() map[string]handler {
	return map[string]handler{
		"GET /event/{id}":       d.traceEvent,
		"GET /bus/{bus}/review": d.reviewBus,
	}
}

// traceEvent tells where an event went.
func (d *door) traceEvent(w http.ResponseWriter, r *http.Request) error {
	last, err := count(r, "last", lookback.DefaultLast, lookback.MostLast)
	if err != nil {
		return err
	}
	since, err := duration(r, "since", 0)
	if err != nil {
		return err
	}
	q := lookback.Query{ID: r.PathValue("id"), Bus: busRef(r, r.URL.Query().Get("bus")), Last: last, WithinMs: since}
	t, err := d.Lookback.Trace(r.Context(), q)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, t)
	return nil
}

// reviewBus tells what the rules of a bus made of its last events.
func (d *door) reviewBus(w http.ResponseWriter, r *http.Request) error {
	last, err := count(r, "last", 1000, lookback.MostLast)
	if err != nil {
		return err
	}
	x, err := d.Lookback.Review(r.Context(), busRef(r, r.PathValue("bus")), last)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, x)
	return nil
}
