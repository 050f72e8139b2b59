//go:build linux

package main

import (
	"context"
	"time"

	"ottla/test/history/client"
)

// leaveWithin bounds a clean leave.
const leaveWithin = 20 * time.Second

// local is a member in this process.
type local struct {
	m     *member
	line  *client.Line
	stop  context.CancelFunc
	ended chan struct{}
}

func startLocal(ctx context.Context, o orders, w journal) (*local, error) {
	l := &local{line: client.NewLine(), ended: make(chan struct{})}
	var err error
	if l.m, err = newMember(o, w, l.line.Dial); err != nil {
		return nil, err
	}
	ctx, l.stop = context.WithCancel(ctx)
	go func() {
		defer close(l.ended)
		l.m.work(ctx)
		l.m.client.CloseAllowingRebalance()
		l.m.crashed()
	}()
	return l, nil
}

func (l *local) done() <-chan struct{} { return l.ended }

func (l *local) leave() {
	l.line.Mend()
	l.stop()
	<-l.ended
}

// die cuts its network for good, so that its leave reaches nobody.
func (l *local) die() {
	l.line.Cut()
	l.stop()
	<-l.ended
}

// silence cuts its network for a while.
func (l *local) silence(ctx context.Context, d time.Duration) error {
	l.line.Cut()
	select {
	case <-l.ended:
	case <-ctx.Done():
	case <-time.After(d):
	}
	l.line.Mend()
	return nil
}
