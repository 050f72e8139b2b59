package queue

import (
	"context"
	"testing"

	"ottla/internal/metadata"
)

// A node whose metadata are older than those by which a queue was made waits for them,
// once in vain and no longer.
func TestAQueueThatAnotherNodeMakesIsWaitedFor(t *testing.T) {
	looks := int64(0)
	s := New(Options{Image: func() *metadata.Image {
		looks++
		image := metadata.Empty()
		image.Offset = looks
		return image
	}})
	defer s.Close()
	follow := func(what string, ctx context.Context, metadata, want int64) {
		t.Helper()
		looks = 0
		if s.follow(ctx, &Queue{metadata: metadata}); looks != want {
			t.Errorf("%s: the metadata were looked at %d times, want %d", what, looks, want)
		}
	}
	follow("a queue of which nothing is noted", t.Context(), 0, 1)
	follow("a younger queue", t.Context(), 3, 3)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	follow("nobody waits any more", over, 1000, 1)
	s.ahead.Store(1000)
	follow("waited for in vain before", t.Context(), 1000, 1)
}
