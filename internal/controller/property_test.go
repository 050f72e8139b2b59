package controller

import (
	"bytes"
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"testing"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// randomCommands gives commands against a few brokers and topics, many of them
// refused.
type randomCommands struct {
	rng *rand.Rand
	img func() *metadata.Image
}

func (g *randomCommands) topic() string {
	return []string{"a", "a.b", "a_b", "c", "d", "e_f", "e.f", "__cluster_metadata", ""}[g.rng.Intn(9)]
}

func (g *randomCommands) broker() (int32, int64) {
	id := int32(1 + g.rng.Intn(4))
	if b := g.img().Broker(id); b != nil && g.rng.Intn(8) > 0 {
		return id, b.Epoch
	}
	return id, 3
}

func (g *randomCommands) next() any {
	rng := g.rng
	id, epoch := g.broker()
	switch rng.Intn(20) {
	case 0:
		b := metadata.Broker{ID: id, Incarnation: number(1 + rng.Intn(40)), Rack: fmt.Sprint(rng.Intn(2)), Directories: []uuid.UUID{number(1000 + int(id)), number(2000 + int(id))}}
		return RegisterBroker{Broker: b, OldGone: rng.Intn(3) > 0, Lossy: rng.Intn(3) == 0}
	case 1, 2, 3:
		return UnfenceBroker{id, epoch}
	case 4:
		return FenceBroker{ID: id, Epoch: epoch}
	case 5:
		if rng.Intn(3) == 0 {
			return UnregisterBroker{id}
		}
		return ShutdownBroker{id, epoch}
	case 6, 7, 8:
		c := CreateTopics{DefaultPartitions: 2, DefaultReplicas: 2, CapReplicas: rng.Intn(2) == 0, ValidateOnly: rng.Intn(8) == 0}
		for range 1 + rng.Intn(3) {
			t := NewTopic{Name: g.topic(), Partitions: int32(rng.Intn(6)) - 1, Replicas: int16(rng.Intn(5)) - 1}
			if rng.Intn(3) == 0 {
				t.Partitions, t.Replicas = -1, -1
				t.Assignments = map[int32][]int32{0: {id}, 1: {1 + int32(rng.Intn(4))}}
			}
			if v := fmt.Sprint(rng.Intn(4) - 2); rng.Intn(2) == 0 {
				t.Configs = []ConfigEntry{{"retention.ms", &v}, {"segment.ms", &v}}
			}
			c.Topics = append(c.Topics, t)
		}
		return c
	case 9:
		ref := TopicRef{Name: g.topic()}
		if t := g.img().TopicByName(ref.Name); t != nil && rng.Intn(2) == 0 {
			ref = TopicRef{ID: t.ID}
		}
		return DeleteTopics{[]TopicRef{ref, {Name: g.topic()}}}
	case 10:
		return CreatePartitions{Topics: []MorePartitions{{Name: g.topic(), Count: int32(rng.Intn(8))}}}
	case 11, 12:
		return g.alter()
	case 13:
		e := ElectLeaders{Unclean: rng.Intn(2) == 0}
		if rng.Intn(2) == 0 {
			e.Partitions = []TopicPartition{{g.topic(), int32(rng.Intn(3))}}
		}
		return e
	case 14:
		return UpdateFeatures{Updates: map[string]FeatureUpdate{"group.version": {int16(rng.Intn(3)), int8(rng.Intn(4))}, "metadata.version": {33, 1}}}
	case 15, 16:
		r := ReassignPartitions{KeepFactor: rng.Intn(4) == 0}
		for range 1 + rng.Intn(3) {
			one := Reassignment{TopicPartition: TopicPartition{g.topic(), int32(rng.Intn(3))}}
			if rng.Intn(3) > 0 {
				one.Replicas = []int32{id, 1 + int32(rng.Intn(4))}[:1+rng.Intn(2)]
			}
			r.Partitions = append(r.Partitions, one)
		}
		return r
	case 17, 18:
		return g.directories(id, epoch)
	default:
		return AllocateProducerIDs{id}
	}
}

// directories is a command about a broker's log directories.
func (g *randomCommands) directories(id int32, epoch int64) any {
	dirs := []uuid.UUID{number(1000 + int(id)), number(2000 + int(id)), number(9)}
	some := dirs[g.rng.Intn(3):][:1]
	switch g.rng.Intn(3) {
	case 0:
		return FailDirectories{id, epoch, some}
	case 1:
		return CordonDirectories{id, epoch, some}
	}
	a := AssignDirectories{ID: id, Epoch: epoch}
	if t := g.img().TopicByName(g.topic()); t != nil {
		a.Partitions = append(a.Partitions, DirectoryAssignment{t.ID, int32(g.rng.Intn(3)), some[0]})
	}
	return a
}

func (g *randomCommands) alter() AlterConfigs {
	c := AlterConfigs{Incremental: g.rng.Intn(2) == 0}
	for range 1 + g.rng.Intn(2) {
		r := AlterResource{Type: metadata.ResourceTopic, Name: g.topic()}
		if g.rng.Intn(3) == 0 {
			r = AlterResource{Type: metadata.ResourceBroker, Name: []string{"", "1", "9"}[g.rng.Intn(3)]}
		}
		for _, name := range []string{"cleanup.policy", "retention.ms", "background.threads"} {
			v := []string{"compact", "delete", "5", ""}[g.rng.Intn(4)]
			if g.rng.Intn(2) == 0 {
				r.Entries = append(r.Entries, AlterEntry{Name: name, Op: Op(g.rng.Intn(4)), Value: &v, Base: "delete"})
			}
		}
		c.Resources = append(c.Resources, r)
	}
	return c
}

func bytesOf(records []metadata.Record) []byte {
	var b []byte
	for _, r := range records {
		b = metadata.Append(append(b, '\n'), r)
	}
	return b
}

// A history of random commands: the state is the image of the records; Step
// changes nothing and is the same again, in a twin and after a reset; the
// partitions keep their promises.
func TestHistoriesOfRandomCommands(t *testing.T) {
	for seed := int64(1); seed <= 30; seed++ {
		options := func() Options {
			return Options{NewID: counter(), Features: map[string][2]int16{"metadata.version": {33, 33}, "group.version": {0, 1}}}
		}
		c, twin := New(options()), New(options())
		img := metadata.Empty()
		g := randomCommands{rand.New(rand.NewSource(seed)), c.image}
		accepted := 0
		for n := range 600 {
			cmd := g.next()
			records, reply, err := c.Step(time.Time{}, cmd)
			records2, reply2, err2 := twin.Step(time.Unix(int64(n), 0), cmd)
			if !bytes.Equal(bytesOf(records), bytesOf(records2)) || !reflect.DeepEqual(reply, reply2) || fmt.Sprint(err) != fmt.Sprint(err2) {
				t.Fatalf("seed %d step %d: %+v gives\n%v %v %v and\n%v %v %v", seed, n, cmd, records, reply, err, records2, reply2, err2)
			}
			if err != nil && len(records) > 0 {
				t.Fatalf("seed %d step %d: %T is refused (%v) and has records", seed, n, cmd, err)
			}
			sameState(t, c, img)
			before := img
			if img, _, err = img.With(img.Offset+int64(len(records)), 1, records...); err != nil {
				t.Fatalf("seed %d step %d: %+v: %v", seed, n, cmd, err)
			}
			for _, r := range records {
				parsed, err := metadata.Parse(metadata.Append(nil, r))
				if err != nil {
					t.Fatal(err)
				}
				c.Apply(r)
				twin.Apply(parsed)
			}
			if g.rng.Intn(20) == 0 {
				twin.Reset(img)
			}
			checkPartitions(t, before, img)
			accepted += min(len(records), 1)
		}
		sameState(t, c, img)
		if accepted < 60 {
			t.Errorf("seed %d: only %d of 600 commands did anything", seed, accepted)
		}
	}
}

func checkPartitions(t *testing.T, before, after *metadata.Image) {
	t.Helper()
	for topic := range after.Topics() {
		old := before.TopicByID(topic.ID)
		for i, p := range topic.Partitions {
			for _, id := range p.ISR {
				if !slices.Contains(p.Replicas, id) {
					t.Fatalf("%s-%d: %d is in sync and no replica: %+v", topic.Name, i, id, p)
				}
			}
			if p.Leader != metadata.NoLeader && !slices.Contains(p.ISR, p.Leader) {
				t.Fatalf("%s-%d: the leader is not in sync: %+v", topic.Name, i, p)
			}
			if len(p.ISR)+len(p.ELR)+len(p.LastELR) == 0 || len(p.Directories) != len(p.Replicas) {
				t.Fatalf("%s-%d: %+v", topic.Name, i, p)
			}
			if old == nil || i >= len(old.Partitions) {
				continue
			}
			was := old.Partitions[i]
			if p.LeaderEpoch < was.LeaderEpoch || p.PartitionEpoch < was.PartitionEpoch || p.Leader != was.Leader && p.LeaderEpoch == was.LeaderEpoch {
				t.Fatalf("%s-%d went from %+v to %+v", topic.Name, i, was, p)
			}
		}
	}
	for b := range after.Brokers() {
		if was := before.Broker(b.ID); was != nil && (b.Epoch < was.Epoch || b.Incarnation != was.Incarnation && b.Epoch == was.Epoch) {
			t.Fatalf("broker %d went from %+v to %+v", b.ID, was, b)
		}
	}
}

func TestARecordThatDoesNotFitStopsTheControllerUntilAReset(t *testing.T) {
	c := New(Options{NewID: counter()})
	c.Apply(&metadata.RemoveTopicRecord{TopicID: number(1)})
	if _, _, err := c.Step(time.Time{}, AllocateProducerIDs{1}); err == nil {
		t.Error("a broken controller goes on")
	}
	c.Apply(&metadata.RemoveTopicRecord{TopicID: number(2)})
	c.Reset(metadata.Empty())
	if records, _, err := c.Step(time.Time{}, RegisterBroker{Broker: metadata.Broker{ID: 1, Incarnation: number(1)}}); err != nil || len(records) != 1 {
		t.Errorf("after a reset: %v, %v", records, err)
	}
}

func TestLeadersAndReplicasAreSpreadEvenly(t *testing.T) {
	for _, brokers := range []int32{1, 3, 5, 7} {
		c := serving(t, brokers)
		var topics []NewTopic
		for n := range 40 {
			topics = append(topics, NewTopic{Name: fmt.Sprint("t", n), Partitions: int32(1 + n%5), Replicas: int16(min(brokers, 3))})
		}
		step(t, c, CreateTopics{Topics: topics})
		leads, holds := map[int32]int{}, map[int32]int{}
		for topic := range c.image().Topics() {
			for _, p := range topic.Partitions {
				leads[p.Leader]++
				for _, r := range p.Replicas {
					holds[r]++
				}
				if sorted := slices.Sorted(slices.Values(p.Replicas)); len(slices.Compact(sorted)) != len(p.Replicas) {
					t.Fatalf("replicas %v", p.Replicas)
				}
			}
		}
		for id := int32(1); id <= brokers; id++ {
			if l := leads[id] - 120/int(brokers); l < 0 || l > 1 {
				t.Errorf("%d brokers: broker %d leads %d of 120", brokers, id, leads[id])
			}
			if want := 120 * int(min(brokers, 3)) / int(brokers); holds[id] < want-12 || holds[id] > want+12 {
				t.Errorf("%d brokers: broker %d holds %d replicas, want about %d", brokers, id, holds[id], want)
			}
		}
	}
}

// serving is a controller with so many brokers, all unfenced.
func serving(t testing.TB, brokers int32) *Controller {
	t.Helper()
	c := New(Options{NewID: counter16()})
	for id := int32(1); id <= brokers; id++ {
		epoch := step(t, c, RegisterBroker{Broker: metadata.Broker{ID: id, Incarnation: number(int(id))}}).(int64)
		step(t, c, UnfenceBroker{id, epoch})
	}
	return c
}

// counter16 is counter for more than 65,536 identifiers.
func counter16() func() uuid.UUID {
	n := 0
	return func() uuid.UUID { n++; return uuid.UUID{0: byte(n), 1: byte(n >> 8), 2: byte(n >> 16), 15: 1} }
}

// step decides a command and applies its records.
func step(t testing.TB, c *Controller, cmd any) any {
	t.Helper()
	records, reply, err := c.Step(time.Time{}, cmd)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range records {
		c.Apply(r)
	}
	return reply
}

// many is a controller with n topics of one partition.
func many(t testing.TB, n int) *Controller {
	c := serving(t, 1)
	for made := 0; made < n; {
		var topics []NewTopic
		for range min(n-made, maxPartitionsPerStep) {
			topics = append(topics, NewTopic{Name: fmt.Sprintf("topic_%d.x", made), Partitions: 1, Replicas: 1})
			made++
		}
		step(t, c, CreateTopics{Topics: topics})
	}
	return c
}

func TestOneTopicMoreCostsTheSameWhateverTheSizeOfTheCluster(t *testing.T) {
	allocs := func(n int) float64 {
		c := many(t, n)
		next := 0
		return testing.AllocsPerRun(50, func() {
			next++
			records, _, _ := c.Step(time.Time{}, CreateTopics{Topics: []NewTopic{{Name: fmt.Sprint("more_", next), Partitions: 1, Replicas: 1}}})
			for _, r := range records {
				c.Apply(r)
			}
		})
	}
	if small, large := allocs(100), allocs(20_000); large > small+10 {
		t.Errorf("a topic takes %v allocations among 100 topics, %v among 20000", small, large)
	}
}

func BenchmarkOneTopicMoreInTenThousand(b *testing.B) {
	c := many(b, 10_000)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		step(b, c, CreateTopics{Topics: []NewTopic{{Name: fmt.Sprint("more_", n), Partitions: 1, Replicas: 1}}})
	}
}

func BenchmarkTenThousandPartitionsInOneStep(b *testing.B) {
	c := many(b, 10_000)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		step(b, c, CreateTopics{Topics: []NewTopic{{Name: fmt.Sprint("more_", n), Partitions: 10_000, Replicas: 1}}})
		step(b, c, DeleteTopics{[]TopicRef{{Name: fmt.Sprint("more_", n)}}})
	}
}

func BenchmarkARestartWithTenThousandPartitions(b *testing.B) {
	c := many(b, 10_000)
	b.ReportAllocs()
	n := 100
	for b.Loop() {
		n++
		epoch := step(b, c, RegisterBroker{Broker: metadata.Broker{ID: 1, Incarnation: number(n)}}).(int64)
		step(b, c, UnfenceBroker{1, epoch})
	}
}
