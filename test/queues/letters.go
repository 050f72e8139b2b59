package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"ottla/internal/gateway/rest"
	"ottla/test/realfault"
)

// deadOf is the queue of a queue's dead letters.
func deadOf(queue string) string {
	if name, fifo := strings.CutSuffix(queue, ".fifo"); fifo {
		return name + "-dead.fifo"
	}
	return queue + "-dead"
}

// moveEvery is the time between two moves of dead letters back.
const moveEvery = time.Second

// redriver moves dead letters back, again and again.
type redriver struct {
	l    *ledger
	d    native
	calm *atomic.Bool
}

// run starts moves until ctx ends, or all is calm.
func (v *redriver) run(ctx context.Context) error {
	for realfault.Pause(ctx, moveEvery) == nil && !v.calm.Load() {
		var m rest.Move
		err := v.d.ask(ctx, http.MethodPost, "/q/"+deadOf(v.l.queue)+"/moves", rest.MoveOrder{Rate: 200}, &m)
		var bad *nonsense
		switch {
		case err == nil:
			v.l.did("a move began")
		case errors.As(err, &bad):
			v.l.broken(err)
			return err
		}
	}
	return nil
}

// moving tells of the moves of a queue how many are under way, and why others failed.
func moving(ctx context.Context, d native, queue string) (under int, failed []string, err error) {
	var out rest.Moves
	if err := d.ask(ctx, http.MethodGet, "/q/"+queue+"/moves", nil, &out); err != nil {
		return 0, nil, err
	}
	for _, m := range out.Moves {
		switch m.Status {
		case "RUNNING", "CANCELLING":
			under++
		case "FAILED":
			failed = append(failed, m.Failure)
		}
	}
	return under, failed, nil
}
