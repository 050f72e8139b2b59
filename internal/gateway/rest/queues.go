package rest

import (
	"bytes"
	"net/http"

	"ottla/internal/event/queue"
)

// maxPage is how many queues one answer lists.
const maxPage = 1000

func shapeOf(q queue.Queue) Queue {
	at := q.Full()
	return Queue{
		Name: at.Name, Account: at.Account, Region: at.Region, ARN: at.ARN(), Spec: q.Spec,
		CreatedMs: q.Created.UnixMilli(), ModifiedMs: q.Modified.UnixMilli(),
	}
}

func (d *door) listQueues(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Queues.List(r.Context(), placed(r, q.Get("prefix")), q.Get("next"), most)
	if err != nil {
		return err
	}
	out := Queues{Queues: []Queue{}, Next: next}
	for _, q := range found {
		out.Queues = append(out.Queues, shapeOf(q))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) createQueue(w http.ResponseWriter, r *http.Request) error {
	spec := queue.Spec{
		VisibilityMs: queue.DefaultVisibilityMs, RetentionMs: queue.DefaultRetentionMs, MaxMessageBytes: queue.MaxMessageBytes,
	}
	if err := readSpec(r, &spec); err != nil {
		return err
	}
	q, made, err := d.Queues.Create(r.Context(), refOf(r), spec)
	if err != nil {
		return err
	}
	status := http.StatusOK
	if made {
		status = http.StatusCreated
	}
	answer(w, status, shapeOf(q))
	return nil
}

// readSpec reads the fields that are given; the others stay. An empty body
// gives none.
func readSpec(r *http.Request, into *queue.Spec) error {
	body, err := read(r, maxBody)
	if err != nil || len(bytes.TrimSpace(body)) == 0 {
		return err
	}
	return strict(body, into)
}

// strict reads one JSON value that has no fields but those which are known.
func strict(body []byte, into any) error {
	if err := Strict(body, into); err != nil {
		return badRequest("the body is not the JSON that is wanted: %v", err)
	}
	return nil
}

func (d *door) describeQueue(w http.ResponseWriter, r *http.Request) error {
	q, err := d.Queues.Get(r.Context(), refOf(r))
	if err != nil {
		return err
	}
	s, err := d.Queues.Stats(r.Context(), refOf(r))
	if err != nil {
		return err
	}
	out := shapeOf(q)
	out.Counts = countsOf(s)
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) updateQueue(w http.ResponseWriter, r *http.Request) error {
	body, err := read(r, maxBody)
	if err != nil {
		return err
	}
	q, err := d.Queues.Update(r.Context(), refOf(r), func(s *queue.Spec) error { return strict(body, s) })
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, shapeOf(q))
	return nil
}

func (d *door) deleteQueue(w http.ResponseWriter, r *http.Request) error {
	if err := d.Queues.Delete(r.Context(), refOf(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (d *door) purgeQueue(w http.ResponseWriter, r *http.Request) error {
	if err := d.Queues.Purge(r.Context(), refOf(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
