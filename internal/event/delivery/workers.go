package delivery

import (
	"context"
	"sync"
	"time"
)

// workerRest is how long a goroutine waits for another call.
const workerRest = time.Second

// workers make calls. One that has made a call is there for the next for a moment: its
// stack has grown by then to what net/http wants.
type workers struct{ next chan func() }

func newWorkers() workers { return workers{next: make(chan func())} }

// do has something done, at once.
func (w workers) do(ctx context.Context, helpers *sync.WaitGroup, f func()) {
	select {
	case w.next <- f:
	default:
		helpers.Go(func() { w.work(ctx, f) })
	}
}

func (w workers) work(ctx context.Context, f func()) {
	rest := time.NewTimer(workerRest)
	defer rest.Stop()
	for {
		f()
		rest.Reset(workerRest)
		select {
		case f = <-w.next:
		case <-rest.C:
			return
		case <-ctx.Done():
			return
		}
	}
}
