package metadata

import (
	"fmt"
	"maps"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"ottla/internal/uuid"
)

// naive is an image as plain maps, each record applied in the plainest way: a
// second opinion on what records mean.
type naive struct {
	ids        map[string]uuid.UUID
	partitions map[uuid.UUID][]PartitionRecord
	brokers    map[int32]RegisterBrokerRecord
	configs    map[string]string // "type/resource/name"
	features   map[string]int16
	nextID     int64
	kept       []string
}

func newNaive() *naive {
	return &naive{
		ids: map[string]uuid.UUID{}, partitions: map[uuid.UUID][]PartitionRecord{},
		brokers: map[int32]RegisterBrokerRecord{}, configs: map[string]string{}, features: map[string]int16{},
	}
}

func (n *naive) apply(r Record) {
	switch r := r.(type) {
	case *TopicRecord:
		n.ids[r.Name] = r.ID
	case *RemoveTopicRecord:
		for name, id := range n.ids {
			if id != r.TopicID {
				continue
			}
			delete(n.ids, name)
			delete(n.partitions, id)
			for key := range n.configs {
				if strings.HasPrefix(key, fmt.Sprintf("%d/%s/", ResourceTopic, name)) {
					delete(n.configs, key)
				}
			}
		}
	case *PartitionRecord:
		n.partitions[r.TopicID] = append(n.partitions[r.TopicID], *r)
	case *PartitionChangeRecord:
		n.change(r)
	case *RegisterBrokerRecord:
		n.brokers[r.BrokerID] = *r
	case *ConfigRecord:
		key := fmt.Sprintf("%d/%s/%s", r.ResourceType, r.ResourceName, r.Name)
		if r.Value == nil {
			delete(n.configs, key)
		} else {
			n.configs[key] = *r.Value
		}
	case *FeatureLevelRecord:
		n.features[r.Name] = r.Level
	case *ProducerIDsRecord:
		n.nextID = r.NextProducerID
	case *Opaque:
		n.kept = append(n.kept, string(r.Body))
	}
}

func (n *naive) change(r *PartitionChangeRecord) {
	p := &n.partitions[r.TopicID][r.Partition]
	p.PartitionEpoch++
	if r.Leader != LeaderUnchanged {
		p.Leader = r.Leader
		p.LeaderEpoch++
	}
	if r.ISR != nil {
		p.ISR = r.ISR
	}
	if r.ELR != nil {
		p.ELR = r.ELR
	}
}

// check compares an image with the plain maps, through every look-up there is.
func (n *naive) check(t *testing.T, img *Image) {
	t.Helper()
	if got := names(img); !slices.Equal(got, slices.Sorted(maps.Keys(n.ids))) {
		t.Fatalf("topics %v, want %v", got, slices.Sorted(maps.Keys(n.ids)))
	}
	total := 0
	for name, topicID := range n.ids {
		topic := img.TopicByName(name)
		if topic == nil || topic.ID != topicID || img.TopicByID(topicID) != topic || img.TopicByBytes([]byte(name)) != topic {
			t.Fatalf("topic %q is %+v, want id %s", name, topic, topicID)
		}
		if len(topic.Partitions) != len(n.partitions[topicID]) {
			t.Fatalf("topic %q has %d partitions, want %d", name, len(topic.Partitions), len(n.partitions[topicID]))
		}
		for i, p := range topic.Partitions {
			want := n.partitions[topicID][i]
			if int(p.Index) != i || p.Topic.Name != name || p.Leader != want.Leader || p.LeaderEpoch != want.LeaderEpoch ||
				p.PartitionEpoch != want.PartitionEpoch || !slices.Equal(p.ISR, want.ISR) || !slices.Equal(p.ELR, want.ELR) {
				t.Fatalf("%s-%d is %+v, want %+v", name, i, p, want)
			}
			total++
		}
	}
	if img.PartitionCount() != total || img.TopicCount() != len(n.ids) || img.BrokerCount() != len(n.brokers) {
		t.Fatalf("counts: %d partitions, %d topics, %d brokers", img.PartitionCount(), img.TopicCount(), img.BrokerCount())
	}
	n.checkRest(t, img)
}

func (n *naive) checkRest(t *testing.T, img *Image) {
	t.Helper()
	for id, want := range n.brokers {
		if b := img.Broker(id); b == nil || b.Epoch != want.BrokerEpoch || b.Fenced != want.Fenced {
			t.Fatalf("broker %d is %+v, want %+v", id, b, want)
		}
	}
	got := map[string]string{}
	for _, name := range img.ConfigResources(ResourceTopic) {
		for k, v := range img.Config(ResourceTopic, name) {
			got[fmt.Sprintf("%d/%s/%s", ResourceTopic, name, k)] = v
		}
	}
	if !maps.Equal(got, n.configs) {
		t.Fatalf("configs %v, want %v", got, n.configs)
	}
	for name, want := range n.features {
		if level, ok := img.Feature(name); level != want || ok != (want != 0) {
			t.Fatalf("feature %s is %d %v, want %d", name, level, ok, want)
		}
	}
	if len(img.opaque) != len(n.kept) {
		t.Fatalf("%d records are kept, want %d", len(img.opaque), len(n.kept))
	}
	for i, r := range img.opaque {
		if string(r.Body) != n.kept[i] {
			t.Fatalf("kept record %d is %q, want %q", i, r.Body, n.kept[i])
		}
	}
}

func TestAnImageAgreesWithPlainMaps(t *testing.T) {
	for seed := int64(1); seed <= 20; seed++ {
		rng := rand.New(rand.NewSource(seed))
		img, want, nextID := Empty(), newNaive(), byte(0)
		for range 60 {
			// Several records a step, each fitting what those before it made.
			var step []Record
			after := img
			for range 1 + rng.Intn(8) {
				r := randomRecord(rng, after, &nextID)
				after = apply(t, after, r)
				step = append(step, r)
				want.apply(r)
			}
			before := img
			img = apply(t, img, step...)
			want.check(t, img)
			checkDelta(t, before, img, step)
		}
	}
}

// checkDelta compares a step's delta with the difference of the images.
func checkDelta(t *testing.T, before, after *Image, step []Record) {
	t.Helper()
	_, d, err := before.With(after.Offset, after.Epoch, step...)
	if err != nil {
		t.Fatal(err)
	}
	created, deleted := map[string]bool{}, map[string]bool{}
	changed := map[string]bool{}
	for topic := range after.Topics() {
		old := before.TopicByID(topic.ID)
		if old == nil {
			created[topic.Name] = true
			continue
		}
		for i, p := range topic.Partitions {
			if i >= len(old.Partitions) || p != old.Partitions[i] {
				changed[fmt.Sprint(topic.Name, "-", i)] = true
			}
		}
	}
	for topic := range before.Topics() {
		if after.TopicByID(topic.ID) == nil {
			deleted[topic.Name] = true
		}
	}
	gotCreated, gotDeleted, gotChanged := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, topic := range d.Created {
		gotCreated[topic.Name] = true
	}
	for _, topic := range d.Deleted {
		gotDeleted[topic.Name] = true
	}
	for _, p := range d.Changed {
		gotChanged[fmt.Sprint(p.Topic.Name, "-", p.Index)] = true
	}
	if !maps.Equal(created, gotCreated) || !maps.Equal(deleted, gotDeleted) || !maps.Equal(changed, gotChanged) {
		t.Fatalf("delta: created %v, deleted %v, changed %v; want %v, %v, %v", gotCreated, gotDeleted, gotChanged, created, deleted, changed)
	}
	if len(d.Created)+len(d.Deleted)+len(d.Changed) != len(gotCreated)+len(gotDeleted)+len(gotChanged) {
		t.Fatalf("the delta lists something twice: %+v", d)
	}
}

func TestAnImageIsReadWhileTheNextIsMade(t *testing.T) {
	img := apply(t, Empty(), slices.Concat(topic("a", 1, 50), topic("b", 2, 50), []Record{
		&ConfigRecord{ResourceType: ResourceTopic, ResourceName: "a", Name: "x", Value: str("1")},
	})...)
	want := string(bytesOf(img))
	done := make(chan string)
	for range 2 {
		go func() { // the race detector watches what they touch
			got := ""
			for range 20 {
				got = string(bytesOf(img))
			}
			done <- got
		}()
	}
	next := img
	for i := range 200 {
		change := ChangePartition(id(byte(1+i%2)), int32(i%50))
		change.Leader = 2
		next = apply(t, next, change, &ConfigRecord{ResourceType: ResourceTopic, ResourceName: "a", Name: "x", Value: str(fmt.Sprint(i))},
			&TopicRecord{Name: fmt.Sprint("more", i), ID: id(byte(3 + i))})
	}
	for range 2 {
		if got := <-done; got != want {
			t.Error("a reader saw the image change")
		}
	}
	if next.TopicCount() != 202 {
		t.Errorf("%d topics, want 202", next.TopicCount())
	}
}
