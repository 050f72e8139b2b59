package consumer

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

func TestRegularExpressionsMatchWholeNamesAndAreBounded(t *testing.T) {
	for _, c := range []struct {
		text      string
		yes, no   string
		forbidden bool
	}{
		{text: "t.*", yes: "topic", no: "my-topic"},
		{text: "a|b", yes: "b", no: "ab"},
		{text: "(?i)ORDERS", yes: "orders", no: "orders2"},
		{text: "a)(b", forbidden: true},
		{text: "[", forbidden: true},
		{text: "a**", forbidden: true},
		{text: `(a)\1`, forbidden: true},
		{text: "(?=a)", forbidden: true},
		{text: strings.Repeat("a", maxRegexText+1), forbidden: true},
		{text: strings.Repeat("[ab]{900}", 40), forbidden: true},
		{text: strings.Repeat("(", 2000) + strings.Repeat(")", 2000), forbidden: true},
	} {
		re, err := compile(c.text)
		if (err != nil) != c.forbidden {
			t.Errorf("%.40q: %v, want forbidden: %v", c.text, err, c.forbidden)
			continue
		}
		if err != nil {
			if wire.CodeOf(err) != wire.InvalidRegularExpression {
				t.Errorf("%.40q: %v, want INVALID_REGULAR_EXPRESSION", c.text, err)
			}
			continue
		}
		if !re.MatchString(c.yes) || re.MatchString(c.no) {
			t.Errorf("%q matches %q: %v, %q: %v", c.text, c.yes, re.MatchString(c.yes), c.no, re.MatchString(c.no))
		}
	}
}

func TestSetsOfPartitionsAreSortedAndEachOnce(t *testing.T) {
	a, b := uuid.UUID{1}, uuid.UUID{2}
	s := slotsOf([]schema.TopicPartitions{{Topic: b, Partitions: []int32{3, 1, 3}}, {Topic: a, Partitions: []int32{2}, Epochs: []int32{7}}, {Topic: b, Partitions: []int32{0}}})
	want := slots{{a, 2, 7}, {b, 0, 0}, {b, 1, 0}, {b, 3, 0}}
	if !slices.Equal(s, want) {
		t.Errorf("got %v, want %v", s, want)
	}
	if got := slotsOf(s.parts(true)); !slices.Equal(got, want) {
		t.Errorf("through the log: got %v, want %v", got, want)
	}
	more := s.with(slots{{a, 2, 9}, {a, 5, 1}})
	if x, ok := more.find(slot{topic: a, partition: 2}); !ok || x.epoch != 7 || len(more) != 5 {
		t.Errorf("joined: %v, want the first's epoch to stay", more)
	}
	keep, rest := more.split(func(x slot) bool { return x.topic == a })
	if len(keep) != 2 || len(rest) != 3 || !samePlaces(keep.with(rest), more) {
		t.Errorf("parted: %v and %v", keep, rest)
	}
	if slotsOf(nil) != nil || slots(nil).parts(true) != nil {
		t.Error("nothing is not nothing")
	}
}

// What stands in a log need not be what this release writes: nothing of it may
// break a machine, and members can go on or begin anew.
func TestStrangeRecordsBreakNothing(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for seed := range 300 {
		w := newWorld(t)
		w.topic("t", 3)
		for range 30 {
			applyTo(w.k, strange(r))
		}
		turn := w.turn(0)
		w.k.Loaded(turn)
		w.timers = turn.Out.Timers
		for i := range 12 {
			for _, body := range []any{
				Heartbeat{Group: "g", MemberID: "m0", Epoch: int32(i%4) - 2, RebalanceMs: 1, Topics: []string{"t"}, SaidTopics: true, SaidOwned: true, InstanceID: text("i0"), Version: 1},
				Heartbeat{Group: "g", MemberID: "m1", Epoch: 0, RebalanceMs: 1, Topics: []string{"t"}, SaidTopics: true, SaidOwned: true, Version: 1},
				Describe{Group: "g"}, sessionDue{"g", "m2"}, rebalanceDue{"g", "m1", 1}, resolved{group: "g", list: []resolvedRegex{{"x", []string{"t"}}}},
			} {
				one := w.turn(1)
				if _, err := w.k.Step(one, body); err != nil {
					continue
				}
				for _, rec := range one.Out.Records {
					applyTo(w.k, rec)
				}
				if one.Out.Accepted != nil {
					one.Out.Accepted()
				}
			}
			classicCalls(w, fmt.Sprint("m", i%3))
			w.k.Show("g")
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// classicCalls gives the group what classic members ask, if it is there.
func classicCalls(w *world, id string) {
	if !w.k.Has("g") {
		return
	}
	t := w.turn(1)
	sync := &kind.ClassicSync{Group: "g", MemberID: id, Generation: 1}
	_, _ = w.k.SyncClassic(t, sync) // only that it does not panic counts
	_ = w.k.HeartbeatClassic(t, sync)
	_, _ = w.k.JoinClassic(t, &kind.ClassicJoin{Group: "g", ProtocolType: "consumer", Member: kind.ClassicMember{ID: id, Protocols: []schema.ClassicProtocol{{Name: "range", Metadata: []byte{0, 1}}}}})
	w.k.LeaveClassic(t, &kind.ClassicLeave{Group: "g", Members: []kind.ClassicLeaver{{MemberID: id}}})
}

// strange is a record that no Step of ours wrote.
func strange(r *rand.Rand) coordinator.Record {
	types := []int16{3, 4, 5, 6, 7, 8, 16}
	k := schema.Key{Type: types[r.IntN(len(types))], Group: "g", Member: fmt.Sprint("m", r.IntN(3))}
	parts := []schema.TopicPartitions{{Topic: uuid.UUID{1, 0, 0}, Partitions: []int32{r.Int32N(5) - 1, r.Int32N(5) - 1}}, {Topic: uuid.UUID{byte(r.IntN(3))}, Partitions: []int32{1 << 30}}}
	value := []byte(nil)
	switch {
	case r.IntN(8) == 0:
	case r.IntN(8) == 0:
		value = []byte{0, 0, byte(r.IntN(256)), byte(r.IntN(256))}
	case k.Type == 3:
		value = schema.AppendConsumerGroup(nil, schema.ConsumerGroupValue{Epoch: r.Int32N(10) - 2})
	case k.Type == 5:
		v := schema.ConsumerMemberValue{Topics: []string{"t", "t", "u"}, RebalanceMs: -5, InstanceID: text(fmt.Sprint("i", r.IntN(2))), Assignor: text("who")}
		if r.IntN(2) == 0 {
			v.Classic = &schema.ClassicMember{SessionMs: -1}
		}
		value = schema.AppendConsumerMember(nil, v)
	case k.Type == 6:
		value = schema.AppendTarget(nil, schema.TargetValue{Epoch: r.Int32N(10) - 2})
	case k.Type == 7:
		value = schema.AppendTargetMember(nil, parts)
	case k.Type == 8:
		value = schema.AppendCurrent(nil, schema.CurrentValue{Epoch: r.Int32N(8) - 3, State: int8(r.IntN(6) - 1), Assigned: parts, Revoking: parts})
	default:
		value = schema.AppendRegex(nil, schema.RegexValue{Topics: []string{"t"}})
	}
	return coordinator.Record{Key: schema.AppendKey(nil, k), Value: value}
}

func TestTheAssignmentIntervalGrowsWithTheGroup(t *testing.T) {
	for members, want := range map[int]time.Duration{1: 0, 100: 0, 101: 10100 * time.Microsecond, 1000: 100 * time.Millisecond, 50_000: time.Second} {
		if got := assignEvery(members); got != want {
			t.Errorf("%d members: %v, want %v", members, got, want)
		}
	}
}

func TestWhatOlderKafkasWroteOfPartitionsMakesNoGroup(t *testing.T) {
	w := newWorld(t)
	for _, value := range [][]byte{{0, 0, 1, 0}, nil} {
		w.k.Apply(schema.Key{Type: schema.ConsumerPartitionMetadata, Group: "old"}, value)
	}
	if w.k.Has("old") || len(w.k.IDs()) != 0 {
		t.Errorf("there are groups %v", w.k.IDs())
	}
	w.k.Apply(schema.Key{Type: schema.ConsumerGroupMetadata, Group: "old"}, schema.AppendConsumerGroup(nil, schema.ConsumerGroupValue{Epoch: 3}))
	w.k.Apply(schema.Key{Type: schema.ConsumerPartitionMetadata, Group: "old"}, nil)
	if !w.k.Has("old") || w.k.Groups["old"].epoch != 3 {
		t.Errorf("a group is %+v after it", w.k.Groups["old"])
	}
}
