package bus

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/schedule"
)

// whole sees to it that rules have their schedules: the two are objects of their own, and
// whoever writes both may be killed in between. Each node looks some seconds after its mirror
// has told of one of the two, and so when it begins to mirror.
type whole struct {
	s       *Service
	unwatch []func()
	wake    chan struct{}
	ctx     context.Context // of what is run; ended by close
	cancel  context.CancelFunc
	running sync.WaitGroup

	mu        sync.Mutex // guards all below
	rules     map[RuleRef]struct{}
	schedules map[schedule.Ref]struct{}
}

const (
	// wholeAfter is how long those who write both are given. Nodes do not all look at once.
	wholeAfter = 5 * time.Second
	// wholeAgain is how long is rested after an error.
	wholeAgain = time.Minute
)

func newWhole(s *Service) *whole {
	w := &whole{s: s, wake: make(chan struct{}, 1), rules: map[RuleRef]struct{}{}, schedules: map[schedule.Ref]struct{}{}}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	if s.o.Schedules == nil {
		return w
	}
	w.running.Go(w.run)
	for kind, take := range map[name.Kind]func(object.News){name.Rule: w.ruleNews, name.Schedule: w.scheduleNews} {
		w.unwatch = append(w.unwatch, s.o.Objects.Watch(name.Ref{Kind: kind}, take))
	}
	return w
}

func (w *whole) close() {
	for _, end := range w.unwatch {
		end()
	}
	w.cancel()
	w.running.Wait()
}

// ruleNews notes a rule that has a schedule, or had one when it was deleted.
func (w *whole) ruleNews(n object.News) {
	r, err := ruleOf(&n.Object)
	if err != nil || r.Schedule == "" { // one that cannot be read does not run
		return
	}
	w.mu.Lock()
	w.rules[r.RuleRef] = struct{}{}
	w.mu.Unlock()
	w.ring()
}

// scheduleNews notes a schedule of a rule, which may be there no more.
func (w *whole) scheduleNews(n object.News) {
	if n.Deleted || !strings.HasPrefix(n.Object.Ref.Name, schedulesOf+"/"+schedulePrefix) {
		return
	}
	w.mu.Lock()
	w.schedules[schedule.RefOf(n.Object.Ref)] = struct{}{}
	w.mu.Unlock()
	w.ring()
}

func (w *whole) ring() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run looks at what was noted.
func (w *whole) run() {
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-w.wake:
		}
		if !w.rest(w.s.o.WholeAfter + rand.N(w.s.o.WholeAfter)) {
			return
		}
		for err := w.look(); err != nil; err = w.look() {
			if w.ctx.Err() != nil {
				return
			}
			w.s.o.Logger.Warn("rules may lack their schedules; it is looked again", "err", err)
			if !w.rest(wholeAgain) {
				return
			}
		}
	}
}

// rest tells false when the service is closed.
func (w *whole) rest(d time.Duration) bool {
	select {
	case <-w.ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// look looks at all that was noted; what cannot be told now stays so.
func (w *whole) look() error {
	w.mu.Lock()
	rules, schedules := w.rules, w.schedules
	w.rules, w.schedules = map[RuleRef]struct{}{}, map[schedule.Ref]struct{}{}
	w.mu.Unlock()
	var errs []error
	for ref := range schedules {
		of, err := w.s.ruleOfSchedule(w.ctx, ref)
		if err != nil {
			errs = append(errs, err)
			w.mu.Lock()
			w.schedules[ref] = struct{}{}
			w.mu.Unlock()
		}
		if of != (RuleRef{}) {
			rules[of] = struct{}{}
		}
	}
	for ref := range rules {
		if err := w.s.makeWhole(w.ctx, ref); err != nil {
			errs = append(errs, err)
			w.mu.Lock()
			w.rules[ref] = struct{}{}
			w.mu.Unlock()
		}
	}
	return errors.Join(errs...)
}

// ruleOfSchedule is the rule that a schedule says it is of; the zero one for none.
func (s *Service) ruleOfSchedule(ctx context.Context, ref schedule.Ref) (RuleRef, error) {
	has, err := s.o.Schedules.Get(ctx, ref)
	if errors.Is(err, schedule.ErrNotFound) {
		return RuleRef{}, nil
	}
	if err != nil {
		return RuleRef{}, scheduleError(err)
	}
	full, err := name.ParseARN(has.Target.Headers["ce_subject"])
	if of := RuleRefOf(full); err == nil && full.Kind == name.Rule && scheduleRef(of) == ref {
		return of, nil
	}
	return RuleRef{}, nil // somebody else's
}

// makeWhole has a rule have its schedule, or none, where whoever wrote last did not come to
// that. What somebody has changed of the schedule itself since is let be.
func (s *Service) makeWhole(ctx context.Context, ref RuleRef) error {
	r, err := s.Rule(ctx, ref)
	if errors.Is(err, ErrNotFound) {
		r, err = Rule{RuleRef: ref}, nil
	}
	if err != nil {
		return err
	}
	has, err := s.o.Schedules.Get(ctx, scheduleRef(ref))
	there := err == nil
	if err != nil && !errors.Is(err, schedule.ErrNotFound) {
		return scheduleError(err)
	}
	switch {
	case r.Schedule == "" && !there:
		return nil
	case r.Schedule != "" && there && (has.Expression == r.Schedule && has.Paused == r.Disabled || !has.Modified.Before(r.Modified)):
		return nil
	}
	err = s.keepSchedule(ctx, ref)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrInvalid) { // its bus goes; or it never had one
		return nil
	}
	return err
}
