package api

import (
	"context"
	"errors"
	"testing"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// replies is a cluster that answers every command alike.
type replies struct {
	reply any
	err   error
	wait  bool // until the time is out
}

func (replies) Image() *metadata.Image { return metadata.Empty() }

func (r replies) Do(ctx context.Context, _ any) (any, error) {
	if _, bounded := ctx.Deadline(); !bounded {
		return nil, errors.New("a command without a deadline")
	}
	if r.wait {
		<-ctx.Done()
	}
	return r.reply, r.err
}

func TestDoGivesTheReplyOrACode(t *testing.T) {
	broken := errors.New("broken")
	for _, c := range []struct {
		what string
		from replies
		want wire.Code
	}{
		{"a reply", replies{reply: 42}, wire.None},
		{"a reply of another type", replies{reply: "42"}, wire.UnknownServerError},
		{"a refusal", replies{err: wire.NotController}, wire.NotController},
		{"a failure", replies{err: broken}, wire.UnknownServerError},
		{"a failure when the time is out", replies{err: broken, wait: true}, wire.RequestTimedOut},
		{"a refusal when the time is out", replies{err: wire.NotController, wait: true}, wire.NotController},
	} {
		limit := time.Hour
		if c.from.wait {
			limit = time.Nanosecond
		}
		got, err := Do[int](context.Background(), c.from, limit, "command")
		if wire.CodeOf(err) != c.want || (got == 42) != (c.want == wire.None) {
			t.Errorf("%s: got %d, %v, want %v", c.what, got, err, c.want)
		}
	}
}
