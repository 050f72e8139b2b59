package demo

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
)

const (
	// connectWithin bounds how long one node is tried.
	connectWithin = 2 * time.Second
	// callWithin bounds one call, and takeWithin one that waits for messages.
	callWithin = 15 * time.Second
	takeWithin = takeWait + callWithin
	takeWait   = 20 * time.Second
	// The pauses after a call that failed: they grow from the first to the last.
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// door asks nodes over HTTP: one of them, and the next when that one does not answer.
// It is safe for concurrent use.
type door struct {
	nodes []*native.Client
	at    atomic.Uint32
}

func newDoor(addresses []string) *door {
	d := &door{}
	for _, a := range addresses {
		d.nodes = append(d.nodes, native.New(a, connectWithin))
	}
	return d
}

// once asks one node.
func (d *door) once(ctx context.Context, within time.Duration, method, path string, query url.Values, body, into any) error {
	at := d.at.Load()
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := d.nodes[int(at)%len(d.nodes)].Do(ctx, "the demo's call "+method+" "+path+" failed", method, path, query, body, into)
	var f *fail.Failure
	if errors.As(err, &f) && f.Code != fail.Usage && f.Code != fail.NotFound {
		d.at.CompareAndSwap(at, at+1)
	}
	return err
}

// insist asks until it is done, or ctx is over: what it asks for can be asked twice.
func (d *door) insist(ctx context.Context, method, path string, query url.Values, body, into any) error {
	return insist(ctx, func() error { return d.once(ctx, callWithin, method, path, query, body, into) })
}

// insist does something until it is done, or ctx is over.
func insist(ctx context.Context, do func() error) error {
	for wait := firstPause; ; wait = min(2*wait, lastPause) {
		err := do()
		if err == nil {
			return nil
		}
		if pause(ctx, wait) != nil {
			return err
		}
	}
}

// pause waits, or returns the reason why ctx ended.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// clock is what time it is for the node's data, which tests move.
func (d *door) clock(ctx context.Context) (time.Time, error) {
	var shown struct {
		Now time.Time `json:"now"`
	}
	err := d.insist(ctx, http.MethodGet, "/clock", nil, nil, &shown)
	return shown.Now, err
}
