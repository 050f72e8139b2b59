package failover

import (
	"fmt"
	"testing"

	"ottla/internal/coordinator"
	"ottla/internal/share"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

func TestStatesOfSharePartitionsGoOnAtAnotherNode(t *testing.T) {
	both(t, func(t *testing.T, told bool) {
		p := newPair(t, func(int) coordinator.Machine { return store.New(store.Settings{SnapshotEvery: 3}) })
		key := store.Key{Group: "g", TopicID: uuid.UUID{1}, Partition: 2}
		do[any](p, store.Initialize{Key: key, Start: 5, LeaderEpoch: 3})
		put := store.Put{Key: key, LeaderEpoch: 3, Start: -1, Done: 1, Rows: []share.Stored{{First: 6, Last: 6, State: share.Acknowledged, Count: 1}}}
		do[any](p, put)
		want := do[store.State](p, store.Read{Key: key, LeaderEpoch: 3})
		p.log.hold()
		lost := put
		lost.Rows = []share.Stored{{First: 7, Last: 7, State: share.Acknowledged, Count: 1}}
		flying := p.start(lost)
		for p.pending() == 0 {
			p.yield()
		}
		p.move(told)
		if told {
			p.refused("a write that was under way", flying, wire.NotCoordinator)
		}
		if got := do[store.State](p, store.Read{Key: key, LeaderEpoch: 4}); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("at the new node %+v, want %+v", got, want)
		}
		p.refused("a write of an older leader of the share-partition", p.start(put), wire.FencedLeaderEpoch)
		p.refused("a write at the old node", p.startAt(p.old(), put), wire.NotCoordinator)
		put.LeaderEpoch, put.Start = 4, 7
		for range 5 { // a snapshot among them
			do[any](p, put)
		}
		p.move(told)
		if got := do[store.State](p, store.Read{Key: key, LeaderEpoch: 4}); got.Start != 7 {
			t.Errorf("back at the first node: %+v, want it to start at 7", got)
		}
	})
}
