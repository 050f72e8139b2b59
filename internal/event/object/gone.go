package object

import (
	"context"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/name"
)

// Headers of a tombstone: the change that wrote it, as an object's Change, and
// the request that asked for it, where that had a token.
const (
	changeHeader = "change"
	tokenHeader  = "token"
)

const (
	// mostRemovals bounds how many deletions are remembered, for requests that are
	// sent again because their answer was lost: seconds later, not days. At 200
	// bytes each it is 1 MB at most.
	mostRemovals = 5000
	// tokenWindow is how long a token counts: whoever says the same one again later
	// means what has the name by then.
	tokenWindow = time.Hour
	// mostToken bounds a token, in bytes.
	mostToken = 256
)

// removal is a deletion: of which key, by which change, for which token ("" for
// none), and when by the domain clock.
type removal struct {
	key, change, token string
	at                 time.Time
}

// removals are the newest ones. A node that starts reads them of the log, as
// long as compaction keeps tombstones there.
type removals struct {
	ring []removal
	next int // where the next one goes when ring is full
}

func (r *removals) add(one removal) {
	if len(r.ring) < mostRemovals {
		r.ring = append(r.ring, one)
		return
	}
	r.ring[r.next] = one
	r.next = (r.next + 1) % mostRemovals
}

func (r *removals) byChange(key, change string) bool {
	return slices.ContainsFunc(r.ring, func(o removal) bool { return o.key == key && o.change == change })
}

func (r *removals) byToken(key, token string, now time.Time) bool {
	return token != "" && slices.ContainsFunc(r.ring, func(o removal) bool {
		return o.key == key && o.token == token && now.Sub(o.at) < tokenWindow
	})
}

// removalOf reads a tombstone.
func removalOf(r *kgo.Record) removal {
	out := removal{key: string(r.Key), at: r.Timestamp}
	for _, h := range r.Headers {
		switch h.Key {
		case changeHeader:
			out.change = string(h.Value)
		case tokenHeader:
			out.token = string(h.Value)
		}
	}
	return out
}

// tombstone makes a record one.
func tombstone(r *kgo.Record, change, token string) {
	r.Headers = append(r.Headers, kgo.RecordHeader{Key: changeHeader, Value: []byte(change)})
	if token != "" {
		r.Headers = append(r.Headers, kgo.RecordHeader{Key: tokenHeader, Value: []byte(token)})
	}
}

// removed tells whether a change deleted the object of a key.
func (s *Store) removed(key, change string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone.byChange(key, change)
}

// DeletedBy tells whether an object of this name was deleted by DeleteOnce with
// this token, at whatever node, within the last hour and among the last 5,000
// deletions.
func (s *Store) DeletedBy(ctx context.Context, ref name.Ref, token string) (bool, error) {
	if err := s.sync(ctx); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gone.byToken(ref.Key(), token, s.o.Now()), nil
}
