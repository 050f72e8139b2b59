package rest

import (
	"bytes"
	"net/http"

	"ottla/internal/event/queue"
)

func (d *door) startMove(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	var in MoveOrder
	if len(bytes.TrimSpace(body)) > 0 {
		if err := strict(body, &in); err != nil {
			return err
		}
	}
	if in.Rate < 0 {
		return badRequest("rate %d: 0 is without a limit, else it is messages a second", in.Rate)
	}
	var to *queue.Ref
	if in.To != "" {
		ref := placed(r, in.To)
		to = &ref
	}
	m, err := d.Queues.StartChosen(r.Context(), refOf(r), to, in.Rate, in.Where)
	if err != nil {
		return err
	}
	answer(w, http.StatusAccepted, moveShape(m))
	return nil
}

func (d *door) listMoves(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 10, maxPage)
	if err != nil {
		return err
	}
	found, err := d.Queues.ListMoves(r.Context(), refOf(r), most)
	if err != nil {
		return err
	}
	out := Moves{Moves: []Move{}}
	for _, m := range found {
		out.Moves = append(out.Moves, moveShape(m))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) cancelMove(w http.ResponseWriter, r *http.Request) error {
	m, err := d.Queues.CancelMove(r.Context(), r.PathValue("handle"))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, moveShape(m))
	return nil
}

func moveShape(m queue.Move) Move {
	out := Move{
		Handle: m.Handle, From: m.From.Name, Rate: m.RatePerSecond, Where: m.Where, Status: m.Status,
		Moved: m.Moved, Looked: m.Looked, ToMove: m.ToMove, StartedMs: m.StartedMs, Failure: m.FailureReason,
	}
	if m.To != nil {
		out.To = m.To.Name
	}
	return out
}
