package liveness

import (
	"context"
	"time"

	"ottla/internal/wire"
)

// registerPause is the time between two attempts to register: the process that
// was registered before counts as gone within tracker.DefaultSilence.
const registerPause = 250 * time.Millisecond

// Enter registers a node that starts, by register, which gives its epoch. Where
// the controller takes the process that ran before for alive it asks again until
// it does not; ctx bounds that. Every other refusal is final.
func Enter(ctx context.Context, register func(ctx context.Context) (epoch int64, err error)) (int64, error) {
	for {
		epoch, err := register(ctx)
		if err == nil || wire.CodeOf(err) != wire.DuplicateBrokerRegistration {
			return epoch, err
		}
		pause := time.NewTimer(registerPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return 0, err
		}
	}
}
