package feed

import (
	"testing"

	"ottla/internal/uuid"
	"ottla/internal/wire/pull"
)

// What a follower has synced between its question and our first look at the
// partition is said once: when it was forgotten, the high watermark stood still
// until somebody wrote again.
func TestProgressThatComesBeforeTheFirstLookIsNotLost(t *testing.T) {
	s := newSession(New(Options{}), 1, &pull.Request{Replica: 2})
	key := pull.Key{Topic: uuid.UUID{1}, Index: 3}
	s.take(&pull.Request{Asks: []pull.Ask{{Key: key, LeaderEpoch: 4, Offset: 7, Synced: 6}}})
	for _, told := range []struct {
		epoch        int32
		synced, want int64
	}{{3, 9, 6}, {4, 7, 7}, {4, 5, 7}} {
		s.progress(key, told.epoch, told.synced)
		if got := s.parts[key].ask.Synced; got != told.want {
			t.Errorf("after %d was told in epoch %d: %d is known, want %d", told.synced, told.epoch, got, told.want)
		}
	}
	s.progress(pull.Key{Topic: uuid.UUID{1}, Index: 4}, 4, 7) // nobody's
}
