package rest

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"ottla/internal/event/queue"
)

// DeadLetters is a queue that others give their dead letters to.
type DeadLetters struct {
	Queue   string   `json:"queue"`
	Sources []string `json:"sources"`
	// Counts are the queue's; nil where it does not exist any more.
	Counts *Counts `json:"counts,omitempty"`
}

// AllDeadLetters lists them, by name.
type AllDeadLetters struct {
	DeadLetters []DeadLetters `json:"dead_letters"`
}

// listDeadLetters tells where dead letters of queues go, and how many are there.
func (d *door) listDeadLetters(w http.ResponseWriter, r *http.Request) error {
	at := placed(r, "")
	sources := map[queue.Ref][]string{}
	for after := ""; ; {
		found, next, err := d.Queues.List(r.Context(), at, after, maxPage)
		if err != nil {
			return err
		}
		for _, q := range found {
			if q.DeadLetter != nil {
				ref := queue.RefOf(q.DeadLetter.Queue.Full())
				sources[ref] = append(sources[ref], q.Name)
			}
		}
		if after = next; after == "" {
			break
		}
	}
	out := AllDeadLetters{DeadLetters: []DeadLetters{}}
	refs := slices.SortedFunc(maps.Keys(sources), func(a, b queue.Ref) int { return strings.Compare(a.Full().Key(), b.Full().Key()) })
	for _, ref := range refs {
		one := DeadLetters{Queue: ref.Name, Sources: sources[ref]}
		if err := d.countDead(r.Context(), ref, &one); err != nil {
			return err
		}
		out.DeadLetters = append(out.DeadLetters, one)
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) countDead(ctx context.Context, ref queue.Ref, into *DeadLetters) error {
	s, err := d.Queues.Stats(ctx, ref)
	switch {
	case errors.Is(err, queue.ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	into.Counts = countsOf(s)
	return nil
}

func countsOf(s queue.Stats) *Counts {
	return &Counts{Waiting: s.Waiting, InFlight: s.InFlight, Delayed: s.Delayed, Dead: s.Dead, OldestMs: s.OldestMs}
}
