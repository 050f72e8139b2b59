package rest

import (
	"bytes"
	"encoding/json"
	"net/http"

	"ottla/internal/event/queue"
)

// settled is one receipt with what may be said of it. In a body of lines it is
// a line; other fields of the line are left alone, so that what take answered
// can be sent as it is.
type settled struct {
	Receipt string `json:"receipt"`
	DelayMs *int64 `json:"delay_ms"`
	ForMs   *int64 `json:"for_ms"`
}

// receipts reads what is to be settled.
func receipts(r *http.Request) ([]settled, error) {
	if one := r.URL.Query().Get("receipt"); one != "" {
		return []settled{{Receipt: one}}, nil
	}
	body, err := read(r, maxBody)
	if err != nil {
		return nil, err
	}
	var all []settled
	if isLines(r.Header.Get("Content-Type")) {
		for i, line := range bytes.Split(body, []byte("\n")) {
			if len(bytes.TrimSpace(line)) == 0 {
				continue
			}
			var s settled
			if err := json.Unmarshal(line, &s); err != nil {
				return nil, badRequest("line %d: %v", i+1, err)
			}
			all = append(all, s)
		}
	} else {
		var in Receipts
		if err := strict(body, &in); err != nil {
			return nil, err
		}
		for _, one := range in.Receipts {
			all = append(all, settled{one, in.DelayMs, in.ForMs})
		}
	}
	if len(all) == 0 || len(all) > queue.MostTaken {
		return nil, badRequest("%d receipts: 1 to %d are possible at once", len(all), queue.MostTaken)
	}
	return all, nil
}

// settle reads receipts, has something done with them, and answers.
func (d *door) settle(w http.ResponseWriter, r *http.Request, do func([]settled) []error) error {
	all, err := receipts(r)
	if err != nil {
		return err
	}
	errs := do(all)
	out := make([]Result, len(all))
	for i, s := range all {
		out[i] = Result{s.Receipt, d.errorOf(errs[i])}
	}
	if wantsLines(r) {
		answerLines(w, statusOf(errs), out)
	} else {
		answer(w, statusOf(errs), Results{out})
	}
	return nil
}

func bare(all []settled) []string {
	out := make([]string, len(all))
	for i, s := range all {
		out[i] = s.Receipt
	}
	return out
}

func (d *door) ack(w http.ResponseWriter, r *http.Request) error {
	return d.settle(w, r, func(all []settled) []error { return d.Queues.Ack(r.Context(), refOf(r), bare(all)) })
}

func (d *door) reject(w http.ResponseWriter, r *http.Request) error {
	return d.settle(w, r, func(all []settled) []error { return d.Queues.Reject(r.Context(), refOf(r), bare(all)) })
}

// nack gives messages back: after a delay of their own, else of the address,
// else as the queue says.
func (d *door) nack(w http.ResponseWriter, r *http.Request) error {
	delay, err := duration(r, "delay", -1)
	if err != nil {
		return err
	}
	return d.settle(w, r, func(all []settled) []error {
		nacks := make([]queue.Nack, len(all))
		for i, s := range all {
			nacks[i] = queue.Nack{Receipt: s.Receipt, DelayMs: delay}
			if s.DelayMs != nil {
				nacks[i].DelayMs = *s.DelayMs
			}
		}
		return d.Queues.Nack(r.Context(), refOf(r), nacks)
	})
}

// extend holds messages longer: for a time of their own, else of the address,
// else for as long as the queue's visibility says.
func (d *door) extend(w http.ResponseWriter, r *http.Request) error {
	q, err := d.Queues.Get(r.Context(), refOf(r))
	if err != nil {
		return err
	}
	long, err := duration(r, "for", q.VisibilityMs)
	if err != nil {
		return err
	}
	return d.settle(w, r, func(all []settled) []error {
		extensions := make([]queue.Extension, len(all))
		for i, s := range all {
			extensions[i] = queue.Extension{Receipt: s.Receipt, ForMs: long}
			if s.ForMs != nil {
				extensions[i].ForMs = *s.ForMs
			}
		}
		return d.Queues.Extend(r.Context(), refOf(r), extensions)
	})
}
