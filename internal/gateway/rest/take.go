package rest

import (
	"context"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"

	"ottla/internal/event/queue"
	"ottla/internal/gateway/front"
)

func (d *door) take(w http.ResponseWriter, r *http.Request) error {
	o := queue.TakeOptions{AttemptID: r.URL.Query().Get("attempt")}
	var err error
	if o.Max, err = count(r, "max", 1, queue.MostTaken); err != nil {
		return err
	}
	if o.WaitMs, err = duration(r, "wait", -1); err != nil {
		return err
	}
	if o.VisibilityMs, err = duration(r, "visibility", -1); err != nil {
		return err
	}
	ref, lines := refOf(r), wantsLines(r)
	long := o.WaitMs
	if long < 0 {
		q, err := d.Queues.Get(r.Context(), ref)
		if err != nil {
			return err
		}
		long = q.WaitMs
	}
	if long > queue.MaxWaitMs {
		return badRequest("wait is at most %v", time.Duration(queue.MaxWaitMs)*time.Millisecond)
	}
	o.WaitMs = 0
	taken, err := d.Queues.Take(r.Context(), ref, o)
	if err != nil {
		return err
	}
	if len(taken) > 0 || long == 0 {
		answerTaken(w, lines, taken)
		return nil
	}
	d.wait(w, r, ref, o, time.Duration(long)*time.Millisecond)
	return nil
}

// wait answers when something came, or the time is over. Meanwhile the
// connection is parked, where that can be.
func (d *door) wait(w http.ResponseWriter, r *http.Request, ref queue.Ref, o queue.TakeOptions, long time.Duration) {
	method, path, lines := r.Method, r.URL.Path, wantsLines(r)
	serve := func(ctx context.Context, w http.ResponseWriter) {
		if end, ok := ctx.Deadline(); ok {
			o.WaitMs = max(0, time.Until(end).Milliseconds())
		}
		taken, err := d.Queues.Take(ctx, ref, o)
		if err != nil {
			d.refuse(w, method, path, err)
			return
		}
		answerTaken(w, lines, taken)
	}
	over := func(w http.ResponseWriter) { answerTaken(w, lines, nil) }
	if front.Park(w, r, front.Poll{Key: ref.Full().Key(), Wait: long, Serve: serve, Over: over}) {
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), long)
	defer cancel()
	serve(ctx, w)
}

func answerTaken(w http.ResponseWriter, lines bool, taken []queue.Taken) {
	out := make([]Taken, len(taken))
	for i := range taken {
		out[i] = takenShape(&taken[i])
	}
	if lines {
		answerLines(w, http.StatusOK, out)
	} else {
		answer(w, http.StatusOK, AllTaken{out})
	}
}

// wantsLines tells whether the caller wants one value a line.
func wantsLines(r *http.Request) bool {
	for a := range strings.SplitSeq(r.Header.Get("Accept"), ",") {
		if isLines(a) {
			return true
		}
	}
	return false
}

func takenShape(t *queue.Taken) Taken {
	out := Taken{
		ID: t.ID, Receipt: t.Receipt, Group: t.Group, Dedup: t.DedupID, Sequence: t.Sequence,
		SentMs: t.SentMs, FirstTakenMs: t.FirstTakenMs, Count: t.Count, DeadLetterOf: t.DeadLetterSource,
	}
	if utf8.Valid(t.Body) {
		text := string(t.Body)
		out.Body = &text
	} else {
		out.Base64 = t.Body
	}
	for called, a := range t.Attributes {
		if out.Attributes == nil {
			out.Attributes = map[string]Attribute{}
		}
		v := Attribute{Type: a.Type}
		if utf8.Valid(a.Value) && !strings.HasPrefix(a.Type, "Binary") {
			v.Value = string(a.Value)
		} else {
			v.Base64 = a.Value
		}
		out.Attributes[called] = v
	}
	return out
}
