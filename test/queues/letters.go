package main

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
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

// redriver has dead letters go back, again and again: by moves of all, by moves of
// chosen ones, and one by one with a body that somebody mended.
type redriver struct {
	l    *ledger
	d    native
	r    *rand.Rand
	calm *atomic.Bool
	n    int // moves that were begun
}

// chooses are conditions that some of the letters meet, one of them all.
var chooses = [][]string{nil, {"body~1"}, {"body~2", "attempts>=1"}, {"attempts>=1"}}

// mendsEvery is how many letters are mended between two moves, at most.
const mendsEvery = 4

// run starts moves and mends until ctx ends, or all is calm.
func (v *redriver) run(ctx context.Context) error {
	for realfault.Pause(ctx, moveEvery) == nil && !v.calm.Load() {
		for range v.r.IntN(mendsEvery + 1) {
			if err := v.mend(ctx); err != nil {
				return err
			}
		}
		if err := v.move(ctx); err != nil {
			return err
		}
	}
	return nil
}

// move starts a move.
func (v *redriver) move(ctx context.Context) error {
	order := rest.MoveOrder{Rate: 200, Where: chooses[v.n%len(chooses)]}
	var m rest.Move
	err := v.d.ask(ctx, http.MethodPost, "/q/"+deadOf(v.l.queue)+"/moves", order, &m)
	switch {
	case err != nil:
		return v.bad(err)
	case order.Where != nil:
		v.l.did("a move of chosen letters began")
	default:
		v.l.did("a move began")
	}
	v.n++
	return nil
}

// mend puts a letter back, any that waits: with the body that it has, by which the
// ledger knows it. What is not answered may have been done.
func (v *redriver) mend(ctx context.Context) error {
	place := "/q/" + deadOf(v.l.queue) + "/messages"
	var found rest.Letters
	if err := v.d.ask(ctx, http.MethodGet, place+"?max=50", nil, &found); err != nil {
		return v.bad(err)
	}
	if len(found.Letters) == 0 {
		return nil
	}
	one := &found.Letters[v.r.IntN(len(found.Letters))]
	err := v.d.call(ctx, func(addr string) (*http.Request, error) {
		return http.NewRequest(http.MethodPost, "http://"+addr+place+"/"+one.Letter+"/revise", bytes.NewReader(one.Body.Bytes()))
	}, nil)
	switch {
	case err == nil:
		v.l.did("a letter was mended")
	case !errors.Is(err, errRefused): // else somebody has it, or was quicker
		v.l.did("a mend was not answered")
	}
	return nil
}

// bad notes an answer that ends the run, and gives it; others are nothing.
func (v *redriver) bad(err error) error {
	var bad *nonsense
	if !errors.As(err, &bad) {
		return nil
	}
	v.l.broken(err)
	return err
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
