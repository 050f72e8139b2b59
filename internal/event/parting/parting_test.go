package parting_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/event/parting"
)

// A commit that could not end, for want of replicas in sync, and messages that could not
// be deleted held the stop of a node for half a minute.
func TestWhatIsUnderWayOutlastsItsRunnerByAMoment(t *testing.T) {
	const most, moment = 30 * time.Second, 2 * time.Second
	for what, c := range map[string]struct{ stopped, want time.Duration }{
		"a runner that goes on":           {time.Hour, most},
		"one that stops":                  {5 * time.Second, 7 * time.Second},
		"one that stops just before then": {29 * time.Second, most},
		"one that has stopped":            {0, moment},
	} {
		synctest.Test(t, func(t *testing.T) {
			began := time.Now()
			life, stop := context.WithCancel(t.Context())
			defer time.AfterFunc(c.stopped, stop).Stop()
			ctx, cancel := parting.Context(life, most, moment)
			defer cancel()
			<-ctx.Done()
			if took := time.Since(began); took != c.want {
				t.Errorf("%s: it ends after %v, want %v", what, took, c.want)
			}
		})
	}
}
