package log

import (
	"errors"
	"sync"
	"testing"
	"time"

	"ottla/internal/record"
)

// TestEverythingThatMayRunBesideAWriterDoes runs the steps and the readers
// beside one writer. Under the race detector it finds what is not guarded;
// without it, that readers see whole batches in order and nothing else.
func TestEverythingThatMayRunBesideAWriterDoes(t *testing.T) {
	r := newRig(t)
	now := r.now
	r.o.Now = func() time.Time { return now } // nobody moves it here
	r.open()
	c := small
	c.RetentionBytes = 40_000
	l := r.log(c)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	loop := func(f func() error) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := f(); err != nil {
					t.Error(err)
					return
				}
			}
		}()
	}
	loop(r.d.SyncRound)
	loop(func() error { return r.d.Checkpoint(func(Ident) int64 { return l.Durable().Offset }) })
	loop(r.d.Housekeep)
	for _, limit := range []int{1, 500, 100_000} {
		at := int64(0)
		loop(func() error { return follow(l, &at, limit) })
	}
	loop(func() error {
		_, _, err := l.LookupTime(1_700_000_000_000+l.Start()+50, l.End())
		return passes(err)
	})
	loop(func() error {
		_, _, err := l.MaxTime()
		return passes(err)
	})
	loop(func() error {
		_, err := l.Aborted(l.Start(), l.End().Offset)
		_, _ = l.Epochs().EndOf(0, l.End().Offset)
		return passes(err)
	})
	for i := range 600 {
		fill(t, l, 3, 2)
		switch {
		case i%50 == 49:
			if err := l.TruncateTo(max(l.End().Offset-7, l.Start())); err != nil {
				t.Error(err)
			}
		case i%20 == 19:
			if _, err := l.Retain(l.Durable().Offset); err != nil {
				t.Error(err)
			}
		case i%30 == 29:
			if err := l.AdvanceStart(max(l.Durable().Offset-100, 0)); err != nil {
				t.Error(err)
			}
		}
	}
	close(stop)
	wg.Wait()
	if err := r.d.Close(nil); err != nil {
		t.Fatal(err)
	}
}

// passes lets the errors pass that a reader meets when the log's start or end
// moves past it.
func passes(err error) error {
	if errors.Is(err, ErrOutOfRange) {
		return nil
	}
	return err
}

// follow reads on from *at, as a consumer does.
func follow(l *Log, at *int64, limit int) error {
	*at = max(*at, l.Start())
	end := l.End()
	s, err := l.Read(*at, end, limit, true)
	if errors.Is(err, ErrOutOfRange) {
		*at = l.Start()
		return nil
	}
	if err != nil || s.Len == 0 {
		return err
	}
	defer s.Release()
	b := make([]byte, s.Len)
	if _, err := s.ReadAt(b, 0); err != nil {
		return passes(nil) // a truncation took the file's end
	}
	for len(b) >= record.HeaderSize {
		h, err := record.ParseHeader(b)
		if err != nil || h.Size() > len(b) {
			break
		}
		if h.LastOffset() < *at || !record.VerifyCRC(b[:h.Size()]) {
			return errors.New("a batch out of order, or not whole")
		}
		*at, b = h.NextOffset(), b[h.Size():]
	}
	return nil
}
