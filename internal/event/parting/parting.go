package parting

import (
	"context"
	"time"
)

// Context ends after most, or a moment after life has ended, whichever is sooner. It has
// the values of life.
func Context(life context.Context, most, moment time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(life), most)
	forget := context.AfterFunc(life, func() {
		t := time.AfterFunc(moment, cancel)
		context.AfterFunc(ctx, func() { t.Stop() })
	})
	return ctx, func() { forget(); cancel() }
}
