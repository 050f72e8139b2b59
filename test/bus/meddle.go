package main

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"ottla/test/realfault"
)

// meddler pauses a rule and has it go on, and begins a replay.
type meddler struct {
	d       *door
	rng     *rand.Rand
	cancel  context.CancelFunc
	working sync.WaitGroup
	pauses  int
	failed  error // read when it has stopped
}

func (m *meddler) start(ctx context.Context) {
	ctx, m.cancel = context.WithCancel(ctx)
	d := &door{addrs: m.d.addrs}
	m.working.Go(func() {
		for ctx.Err() == nil {
			for _, what := range []string{"pause", "resume"} {
				if err := d.ask(ctx, http.MethodPost, "/bus/shop/rules/odds/"+what, nil, nil); err != nil && ctx.Err() == nil {
					m.failed = err
					return
				}
				_ = realfault.Pause(ctx, time.Duration(m.rng.Int64N(int64(2*time.Second))))
			}
			m.pauses++
		}
	})
}

// replay begins the replay of what is there now.
func (m *meddler) replay(ctx context.Context) error {
	return m.d.ask(ctx, http.MethodPut, "/replay/again", object{"bus": object{"name": "shop"}, "to": "topic:replayed", "rate": 2000}, nil)
}

// stop ends it, with the rule going on.
func (m *meddler) stop(ctx context.Context) error {
	m.cancel()
	m.working.Wait()
	if m.failed != nil {
		return m.failed
	}
	return m.d.ask(ctx, http.MethodPost, "/bus/shop/rules/odds/resume", nil, nil)
}
