package shares

import (
	"testing"

	"ottla/internal/kafka/shares/lead"
	"ottla/internal/share/store"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// A member that hears of a new leader sooner than the new leader itself does
// names its partition once: it stays in the session, is refused at every fetch,
// and is read as soon as it is led here.
func TestAPartitionThatIsNotLedHereYetStaysInTheSession(t *testing.T) {
	s := &session{has: map[store.Key]bool{}}
	topic := uuid.UUID{1}
	for index := range int32(3) {
		s.add(store.Key{Group: "g", TopicID: topic, Partition: index})
		s.add(store.Key{Group: "g", TopicID: topic, Partition: index}) // said twice
	}
	led := map[int32]*lead.Part{0: {}}
	find := func(key store.Key) (*lead.Part, error) {
		if p := led[key.Partition]; p != nil {
			return p, nil
		}
		return nil, wire.NotLeaderOrFollower
	}
	for round, want := range []int{1, 1, 2, 3} {
		if round > 1 {
			led[int32(round-1)] = &lead.Part{}
		}
		parts, strangers := s.inTurn(find), 0
		for _, p := range parts {
			if (p.part == nil) != (wire.CodeOf(p.err) == wire.NotLeaderOrFollower) {
				t.Errorf("round %d: partition %d is %v, %v", round, p.key.Partition, p.part, p.err)
			}
			if p.part == nil {
				strangers++
			}
		}
		if len(parts) != 3 || strangers != 3-want {
			t.Errorf("round %d: %d partitions, %d of them not led here, want 3 and %d", round, len(parts), strangers, 3-want)
		}
	}
	s.remove(map[store.Key]bool{{Group: "g", TopicID: topic, Partition: 1}: true})
	if parts := s.inTurn(find); len(parts) != 2 {
		t.Errorf("%d partitions are left, want 2", len(parts))
	}
}

func TestASessionHoldsOnlySoManyPartitionsThatOthersLead(t *testing.T) {
	s := &session{has: map[store.Key]bool{}}
	nobody := func(store.Key) (*lead.Part, error) { return nil, wire.UnknownTopicID }
	for index := range int32(maxStrangers + 7) {
		s.add(store.Key{Group: "g", TopicID: uuid.UUID{1}, Partition: index})
	}
	for round, want := range []int{maxStrangers + 7, maxStrangers} {
		if got := len(s.inTurn(nobody)); got != want || len(s.has) != maxStrangers {
			t.Errorf("round %d: %d partitions are answered and %d kept, want %d and %d", round, got, len(s.has), want, maxStrangers)
		}
	}
}
