package shares

import (
	"context"
	"slices"
	"testing"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/wire"
)

// grim is a Morgue that must not be given anything.
type grim struct{ *testing.T }

func (g grim) Buried(context.Context, store.Key, int32) (map[int64]bool, error) { return nil, nil }

func (g grim) Bury(context.Context, store.Key, int32, string, int32, []int64, [][]byte) error {
	g.Error("a letter is written")
	return nil
}

// The next leader has looked which letters are written, and writes the others.
func TestWhoDoesNotLeadAnyMoreWritesNoLettersOfQueues(t *testing.T) {
	f := farFamily(t, &canned{})
	f.d.Morgue = grim{t}
	w := &letters{d: &lead.Dying{Key: store.Key{Group: "g"}, Leads: func() error { return wire.NotLeaderOrFollower }}}
	if err := f.queueLetters(t.Context(), w, "dead"); wire.CodeOf(err) != wire.CoordinatorNotAvailable {
		t.Errorf("got %v, want an error that passes", err)
	}
}

// A step does not make forgotten which letters the last one wrote, as long as their
// records wait to be archived: a crash would have them written again.
func TestAStepKeepsWhatTheLastOneWrote(t *testing.T) {
	w := &letters{
		d: &lead.Dying{Range: share.Range{First: 5, Last: 8}}, offsets: []int64{6, 7, 8},
		buried: map[int64]bool{3: true, 4: true, 5: true, 12: true},
	}
	if got, want := withLetters(w), []int64{5, 6, 7, 8, 12}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
