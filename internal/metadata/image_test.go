package metadata

import (
	"bytes"
	"fmt"
	"math/rand"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ottla/internal/uuid"
)

// apply is With for records that must fit.
func apply(t testing.TB, img *Image, records ...Record) *Image {
	t.Helper()
	next, _, err := img.With(img.Offset+int64(len(records)), 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func kafkaImage(t testing.TB) *Image {
	t.Helper()
	img := Empty()
	for _, b := range kafkaLog(t) {
		r, err := Parse(b)
		if err != nil {
			t.Fatal(err)
		}
		img = apply(t, img, r)
	}
	return img
}

func partition(topic byte, index int32, replicas ...int32) *PartitionRecord {
	return &PartitionRecord{
		Partition: index, TopicID: id(topic), Replicas: replicas, ISR: replicas,
		Leader: replicas[0], Directories: make([]uuid.UUID, len(replicas)),
	}
}

// topic is a topic's records.
func topic(name string, n byte, partitions int32) []Record {
	records := []Record{&TopicRecord{Name: name, ID: id(n)}}
	for i := range partitions {
		records = append(records, partition(n, i, 1, 2))
	}
	return records
}

// bytesOf is an image as its snapshot's bytes, to compare images by.
func bytesOf(img *Image) []byte {
	var b []byte
	for r := range img.Records() {
		b = append(b, fmt.Sprintf("%x\n", Append(nil, r))...)
	}
	return b
}

func names(img *Image) (list []string) {
	for t := range img.Topics() {
		list = append(list, t.Name)
	}
	return list
}

func TestAnEmptyImageHasNothing(t *testing.T) {
	img := Empty()
	if img.Offset != -1 || img.TopicByName("a") != nil || img.TopicByBytes(nil) != nil || img.TopicByID(id(1)) != nil ||
		img.Broker(1) != nil || img.NextProducerID() != 0 || img.TopicCount() != 0 || img.Config(2, "a") != nil ||
		img.ConfigResources(2) != nil {
		t.Errorf("an empty image has something: %+v", img)
	}
	if _, ok := img.Feature("x"); ok {
		t.Error("an empty image has a feature")
	}
	if b := bytesOf(img); len(b) != 0 {
		t.Errorf("an empty image has records:\n%s", b)
	}
}

func TestTopicsAreFoundByNameBytesAndID(t *testing.T) {
	img := apply(t, Empty(), slices.Concat(topic("b", 2, 3), topic("a", 1, 1))...)
	if got := names(img); !slices.Equal(got, []string{"a", "b"}) || img.TopicCount() != 2 || img.PartitionCount() != 4 {
		t.Errorf("topics %v, %d, %d partitions", got, img.TopicCount(), img.PartitionCount())
	}
	b := img.TopicByName("b")
	if b == nil || b != img.TopicByBytes([]byte("b")) || b != img.TopicByID(id(2)) || len(b.Partitions) != 3 {
		t.Fatalf("b is found as %+v", b)
	}
	p := b.Partitions[2]
	if p.Topic.Name != "b" || p.Topic.ID != id(2) || p.Index != 2 || p.Leader != 1 || len(p.Directories) != 2 {
		t.Errorf("partition 2 of b is %+v", p)
	}
	if img.TopicByName("c") != nil || img.TopicByID(id(3)) != nil {
		t.Error("a topic is found that does not exist")
	}
}

func TestAPartitionChangeRaisesEpochs(t *testing.T) {
	img := apply(t, Empty(), topic("a", 1, 2)...)
	isr := ChangePartition(id(1), 1)
	isr.ISR = []int32{2}
	isr.ELR, isr.LastELR = []int32{1}, []int32{1}
	p := apply(t, img, isr).TopicByName("a").Partitions[1]
	if p.PartitionEpoch != 1 || p.LeaderEpoch != 0 || p.Leader != 1 || !slices.Equal(p.ISR, []int32{2}) || !slices.Equal(p.ELR, []int32{1}) {
		t.Errorf("after a change of the ISR: %+v", p)
	}
	leader := ChangePartition(id(1), 1)
	leader.Leader = 1
	leader.LeaderRecoveryState = 1
	p = apply(t, img, isr, leader).TopicByName("a").Partitions[1]
	if p.PartitionEpoch != 2 || p.LeaderEpoch != 1 || p.Leader != 1 || !p.Recovering {
		t.Errorf("after the same leader was named: %+v", p)
	}
	move := ChangePartition(id(1), 1)
	move.Replicas, move.Adding = []int32{1, 2, 3}, []int32{3}
	p = apply(t, img, move).TopicByName("a").Partitions[1]
	if len(p.Replicas) != 3 || len(p.Directories) != 3 || !slices.Equal(p.Adding, []int32{3}) {
		t.Errorf("after replicas were added: %+v", p)
	}
	if p := img.TopicByName("a").Partitions[1]; p.PartitionEpoch != 0 {
		t.Errorf("the older image changed: %+v", p)
	}
}

func TestClearELRForgetsThem(t *testing.T) {
	with := func(n byte) Record {
		c := ChangePartition(id(n), 0)
		c.ELR, c.LastELR = []int32{1}, []int32{2}
		return c
	}
	img := apply(t, Empty(), slices.Concat(topic("a", 1, 1), topic("b", 2, 1), []Record{with(1), with(2)})...)
	one := apply(t, img, &ClearELRRecord{Topic: "a"})
	if a, b := one.TopicByName("a").Partitions[0], one.TopicByName("b").Partitions[0]; len(a.ELR) != 0 || len(a.LastELR) != 0 || len(b.ELR) != 1 {
		t.Errorf("after clearing a: %+v %+v", a, b)
	}
	all := apply(t, img, &ClearELRRecord{})
	if a, b := all.TopicByName("a").Partitions[0], all.TopicByName("b").Partitions[0]; len(a.ELR)+len(b.ELR)+len(b.LastELR) != 0 {
		t.Errorf("after clearing all: %+v %+v", a, b)
	}
}

func TestBrokersAreRegisteredChangedAndForgotten(t *testing.T) {
	img := apply(t, Empty(),
		&RegisterBrokerRecord{BrokerID: 2, BrokerEpoch: 5, IncarnationID: id(9), Rack: str("r"), Fenced: true,
			LogDirs: []uuid.UUID{id(7)}, Features: []FeatureRange{{Name: "f", Min: 1, Max: 2}}},
		&RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 6, Fenced: true})
	var ids []int32
	for b := range img.Brokers() {
		ids = append(ids, b.ID)
	}
	if b := img.Broker(2); !slices.Equal(ids, []int32{1, 2}) || img.BrokerCount() != 2 || b.Rack != "r" || !b.Fenced || b.Features["f"] != [2]int16{1, 2} {
		t.Errorf("brokers %v, 2 is %+v", ids, b)
	}
	unfenced := apply(t, img, &UnfenceBrokerRecord{brokerAndEpoch{BrokerID: 2, BrokerEpoch: 5}})
	if unfenced.Broker(2).Fenced {
		t.Error("still fenced after UNFENCE_BROKER")
	}
	if !apply(t, unfenced, &FenceBrokerRecord{brokerAndEpoch{BrokerID: 2, BrokerEpoch: 5}}).Broker(2).Fenced {
		t.Error("not fenced after FENCE_BROKER")
	}
	changed := apply(t, img, &BrokerRegistrationChangeRecord{BrokerID: 2, BrokerEpoch: 5, Fenced: -1, InControlledShutdown: 1,
		LogDirs: []uuid.UUID{id(7), id(8)}, CordonedLogDirs: []uuid.UUID{id(8)}}).Broker(2)
	if changed.Fenced || !changed.InControlledShutdown || len(changed.Directories) != 2 || len(changed.Cordoned) != 1 {
		t.Errorf("after a change: %+v", changed)
	}
	if gone := apply(t, img, UnregisterBroker(2, 5)); gone.Broker(2) != nil || gone.BrokerCount() != 1 {
		t.Error("still there after UNREGISTER_BROKER")
	}
}

func TestConfigsAreSetAndRemoved(t *testing.T) {
	set := func(resource, name, value string) Record {
		return &ConfigRecord{ResourceType: ResourceTopic, ResourceName: resource, Name: name, Value: &value}
	}
	img := apply(t, Empty(), set("b", "x", "1"), set("a", "x", "2"), set("a", "y", "3"),
		&ConfigRecord{ResourceType: ResourceBroker, ResourceName: "", Name: "z", Value: str("")})
	if got := img.ConfigResources(ResourceTopic); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("resources %v", got)
	}
	if got := img.Config(ResourceTopic, "a"); !reflect.DeepEqual(got, map[string]string{"x": "2", "y": "3"}) {
		t.Errorf("a has %v", got)
	}
	if v, ok := img.Config(ResourceBroker, "")["z"]; v != "" || !ok {
		t.Errorf("an empty value is %q %v", v, ok)
	}
	remove := &ConfigRecord{ResourceType: ResourceTopic, ResourceName: "a", Name: "x"}
	next := apply(t, img, remove, remove)
	if got := next.Config(ResourceTopic, "a"); !reflect.DeepEqual(got, map[string]string{"y": "3"}) {
		t.Errorf("a has %v after x was removed", got)
	}
	if len(img.Config(ResourceTopic, "a")) != 2 {
		t.Error("the older image changed")
	}
	none := apply(t, next, &ConfigRecord{ResourceType: ResourceTopic, ResourceName: "a", Name: "y"})
	if got := none.ConfigResources(ResourceTopic); !slices.Equal(got, []string{"b"}) || none.Config(ResourceTopic, "a") != nil {
		t.Errorf("resources %v after the last override of a went", got)
	}
}

func TestATopicsConfigsGoWithIt(t *testing.T) {
	img := apply(t, Empty(), append(topic("a", 1, 2), &ConfigRecord{ResourceType: ResourceTopic, ResourceName: "a", Name: "x", Value: str("1")})...)
	img, d, err := img.With(9, 1, &RemoveTopicRecord{TopicID: id(1)})
	if err != nil || img.Config(ResourceTopic, "a") != nil || img.TopicCount() != 0 || img.PartitionCount() != 0 {
		t.Errorf("after the topic went: %v, %v", img.Config(ResourceTopic, "a"), err)
	}
	if len(d.Deleted) != 1 || d.Deleted[0].Name != "a" || len(d.Deleted[0].Partitions) != 2 || !slices.Equal(d.Configs, []ConfigChange{{ResourceTopic, "a"}}) {
		t.Errorf("delta %+v", d)
	}
}

func TestFeaturesAndProducerIDs(t *testing.T) {
	img := apply(t, Empty(), &FeatureLevelRecord{Name: "group.version", Level: 1}, &FeatureLevelRecord{Name: MetadataVersion, Level: 33},
		&ProducerIDsRecord{BrokerID: 1, BrokerEpoch: 2, NextProducerID: 1000})
	if v, ok := img.Feature(MetadataVersion); v != 33 || !ok || img.NextProducerID() != 1000 {
		t.Errorf("metadata.version %d %v, next id %d", v, ok, img.NextProducerID())
	}
	off := apply(t, img, &FeatureLevelRecord{Name: "group.version"})
	if _, ok := off.Feature("group.version"); ok {
		t.Error("a feature of level 0 is still there")
	}
	for r := range img.Records() {
		if f := r.(*FeatureLevelRecord); f.Name != MetadataVersion {
			t.Errorf("the first record is of %s, want %s", f.Name, MetadataVersion)
		}
		break
	}
}

func TestControllersAreKept(t *testing.T) {
	img := apply(t, Empty(), &RegisterControllerRecord{ControllerID: 3, IncarnationID: id(1), Endpoints: []Endpoint{{Name: "C", Port: 9093}}})
	for c := range img.Controllers() {
		if c.ID != 3 || c.Endpoints[0].Port != 9093 {
			t.Errorf("controller %+v", c)
		}
	}
	img = apply(t, img, &UnregisterControllerRecord{ControllerID: 3})
	for c := range img.Controllers() {
		t.Errorf("controller %d is still there", c.ID)
	}
}

func TestAMetadataTransactionTakesEffectAtItsEnd(t *testing.T) {
	open := apply(t, Empty(), append([]Record{&BeginTransactionRecord{}}, topic("a", 1, 1)...)...)
	if open.TopicCount() != 0 {
		t.Error("a topic of an open transaction is seen")
	}
	reread := apply(t, Empty(), slices.Collect(open.Records())...)
	for name, img := range map[string]*Image{"open": open, "snapshot of it": reread} {
		if done := apply(t, img, &EndTransactionRecord{}); done.TopicCount() != 1 {
			t.Errorf("%s: the topic is not there after the end", name)
		}
		if dropped := apply(t, img, &AbortTransactionRecord{}); dropped.TopicCount() != 0 || len(bytesOf(dropped)) != 0 {
			t.Errorf("%s: something is left of an aborted transaction", name)
		}
	}
}

func TestRecordsThatDoNotFitAreRefused(t *testing.T) {
	base := append(topic("a", 1, 1), &RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 5}, &ProducerIDsRecord{NextProducerID: 1000})
	badDirectories := partition(1, 1, 1, 2)
	badDirectories.Directories = badDirectories.Directories[:1]
	badMove := ChangePartition(id(1), 0)
	badMove.Directories = make([]uuid.UUID, 3)
	for _, c := range []struct {
		r    Record
		want string
	}{
		{&TopicRecord{Name: "a", ID: id(2)}, `TOPIC "a"`},
		{&TopicRecord{Name: "b", ID: id(1)}, `the id is taken by "a"`},
		{partition(2, 0, 1), "there is no such topic"},
		{partition(1, 3, 1), `PARTITION 3 of "a": the topic has 1, so the next is 1`},
		{partition(1, -1, 1), "PARTITION -1"},
		{badDirectories, "1 directories for 2 replicas"},
		{ChangePartition(id(2), 0), "there is no such topic"},
		{ChangePartition(id(1), 1), "the topic has 1"},
		{badMove, "3 directories for 2 replicas"},
		{&RemoveTopicRecord{TopicID: id(2)}, "there is no such topic"},
		{&ClearELRRecord{Topic: "b"}, "there is no such topic"},
		{&RegisterBrokerRecord{BrokerID: 1, BrokerEpoch: 4}, "epoch 4 is below 5"},
		{&BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 4}, "registered with 5"},
		{&BrokerRegistrationChangeRecord{BrokerID: 2}, "no such broker"},
		{UnregisterBroker(2, 5), "no such broker"},
		{&UnregisterControllerRecord{ControllerID: 1}, "no such controller"},
		{&ProducerIDsRecord{NextProducerID: 999}, "next id 999 is below 1000"},
		{&EndTransactionRecord{}, "END_TRANSACTION without a transaction"},
		{&AbortTransactionRecord{}, "ABORT_TRANSACTION without a transaction"},
	} {
		img := apply(t, Empty(), base...)
		before := bytesOf(img)
		_, _, err := img.With(50, 1, c.r)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %+v: error %v, want %q", TypeName(c.r.RecordType()), c.r, err, c.want)
		}
		if !bytes.Equal(before, bytesOf(img)) {
			t.Errorf("%s %+v: the image changed", TypeName(c.r.RecordType()), c.r)
		}
	}
	if _, _, err := Empty().With(0, 1, &BeginTransactionRecord{}, &BeginTransactionRecord{}); err == nil {
		t.Error("a transaction inside a transaction is accepted")
	}
}

func TestTheDeltaListsWhatChanged(t *testing.T) {
	img := apply(t, Empty(), slices.Concat(topic("a", 1, 2), topic("b", 2, 1))...)
	change := ChangePartition(id(1), 1)
	change.Leader = 2
	img2, d, err := img.With(20, 3, slices.Concat(
		[]Record{change, change, partition(2, 1, 1)}, // a change, twice, and one more partition
		topic("c", 3, 2),                                               // a new topic
		topic("d", 4, 1), []Record{&RemoveTopicRecord{TopicID: id(4)}}, // made and undone
		[]Record{ChangePartition(id(2), 0), &RegisterBrokerRecord{BrokerID: 1},
			&ConfigRecord{ResourceType: 2, ResourceName: "c", Name: "x", Value: str("1")},
			&ConfigRecord{ResourceType: 2, ResourceName: "c", Name: "y", Value: str("1")},
			&FeatureLevelRecord{Name: "f", Level: 1}})...)
	if err != nil {
		t.Fatal(err)
	}
	if img2.Offset != 20 || img2.Epoch != 3 {
		t.Errorf("the image is at %d of epoch %d", img2.Offset, img2.Epoch)
	}
	if len(d.Created) != 1 || d.Created[0] != img2.TopicByName("c") || len(d.Deleted) != 0 {
		t.Errorf("created %v, deleted %v", d.Created, d.Deleted)
	}
	want := []*Partition{img2.TopicByName("a").Partitions[1], img2.TopicByName("b").Partitions[1], img2.TopicByName("b").Partitions[0]}
	if !slices.Equal(d.Changed, want) {
		t.Errorf("changed %v, want %v", d.Changed, want)
	}
	if !slices.Equal(d.Configs, []ConfigChange{{2, "c"}}) || !slices.Equal(d.Brokers, []int32{1}) || !d.Features {
		t.Errorf("configs %v, brokers %v, features %v", d.Configs, d.Brokers, d.Features)
	}
	_, d, err = img2.With(30, 3, change, &RemoveTopicRecord{TopicID: id(1)}, &TopicRecord{Name: "a", ID: id(9)}, partition(9, 0, 1))
	if err != nil || len(d.Deleted) != 1 || d.Deleted[0] != img2.TopicByName("a") || len(d.Created) != 1 || d.Created[0].ID != id(9) || len(d.Changed) != 0 {
		t.Errorf("a topic deleted and made anew: %+v, %v", d, err)
	}
	if _, d, _ := img2.With(31, 3, &NoOpRecord{}); !reflect.DeepEqual(d, &Delta{}) {
		t.Errorf("a NO_OP changes %+v", d)
	}
}

func TestAsDeltaListsAll(t *testing.T) {
	img := kafkaImage(t)
	d := img.AsDelta()
	if len(d.Created) != 2 || d.Created[0].Name != "clicks.raw" || len(d.Changed)+len(d.Deleted) != 0 ||
		!slices.Equal(d.Brokers, []int32{1}) || !d.Features || len(d.Configs) != 4 {
		t.Errorf("delta %+v", d)
	}
}

// randomRecord makes a record that fits the image.
func randomRecord(rng *rand.Rand, img *Image, nextID *byte) Record {
	var topics []*Topic
	for t := range img.Topics() {
		topics = append(topics, t)
	}
	if len(topics) == 0 || rng.Intn(5) == 0 && *nextID < 250 {
		*nextID++
		return &TopicRecord{Name: fmt.Sprintf("t%d", *nextID), ID: id(*nextID)}
	}
	t := topics[rng.Intn(len(topics))]
	switch rng.Intn(12) {
	case 0:
		return &RemoveTopicRecord{TopicID: t.ID}
	case 1, 2, 3:
		return &PartitionRecord{Partition: int32(len(t.Partitions)), TopicID: t.ID, Replicas: []int32{1, 2}, ISR: []int32{1},
			Leader: 1, Directories: []uuid.UUID{id(1), id(2)}, ELR: []int32{2}}
	case 4, 5, 6:
		if len(t.Partitions) == 0 {
			return &NoOpRecord{}
		}
		c := ChangePartition(t.ID, int32(rng.Intn(len(t.Partitions))))
		if rng.Intn(2) == 0 {
			c.Leader = int32(rng.Intn(3)) - 1
		}
		if rng.Intn(2) == 0 {
			c.ISR, c.ELR = []int32{int32(rng.Intn(2))}, []int32{}
		}
		return c
	case 7, 8:
		r := &ConfigRecord{ResourceType: ResourceTopic, ResourceName: t.Name, Name: fmt.Sprint(rng.Intn(3))}
		if rng.Intn(3) > 0 {
			r.Value = str(fmt.Sprint(rng.Intn(9)))
		}
		return r
	case 9:
		return &RegisterBrokerRecord{BrokerID: int32(rng.Intn(5)), BrokerEpoch: 1 << 20, Fenced: rng.Intn(2) == 0}
	case 10:
		return &FeatureLevelRecord{Name: fmt.Sprint(rng.Intn(4)), Level: int16(rng.Intn(3))}
	default:
		return &Opaque{Type: TypeClientQuota, Body: []byte{byte(rng.Intn(256))}}
	}
}

func TestAnImageIsWhatItsRecordsGive(t *testing.T) {
	for seed := int64(1); seed <= 20; seed++ {
		rng := rand.New(rand.NewSource(seed))
		img, nextID := Empty(), byte(0)
		draft := Empty().Draft()
		var kept []*Image
		var keptBytes [][]byte
		var all []Record
		for range 300 {
			r := randomRecord(rng, img, &nextID)
			all = append(all, r)
			img = apply(t, img, r)
			if err := draft.Apply(r); err != nil {
				t.Fatal(err)
			}
			if rng.Intn(40) == 0 {
				kept, keptBytes = append(kept, img, draft.Seal(0, 0)), append(keptBytes, bytesOf(img), bytesOf(img))
			}
		}
		want := bytesOf(img)
		for name, other := range map[string]*Image{
			"a draft":           draft.Image(),
			"all in one step":   apply(t, Empty(), all...),
			"its own records":   apply(t, Empty(), slices.Collect(img.Records())...),
			"them, one by one":  oneByOne(t, slices.Collect(img.Records())),
			"its records twice": apply(t, Empty(), slices.Collect(apply(t, Empty(), slices.Collect(img.Records())...).Records())...),
		} {
			if got := bytesOf(other); !bytes.Equal(got, want) {
				t.Fatalf("seed %d: %s gives\n%s, want\n%s", seed, name, got, want)
			}
			if other.PartitionCount() != img.PartitionCount() || other.TopicCount() != img.TopicCount() {
				t.Fatalf("seed %d: %s counts %d and %d", seed, name, other.TopicCount(), other.PartitionCount())
			}
		}
		for i, k := range kept {
			if !bytes.Equal(bytesOf(k), keptBytes[i]) {
				t.Fatalf("seed %d: an image given out changed afterwards", seed)
			}
		}
	}
}

func oneByOne(t *testing.T, records []Record) *Image {
	t.Helper()
	img := Empty()
	for _, r := range records {
		img = apply(t, img, r)
	}
	return img
}

func TestRecordsStopWhenTheReaderDoes(t *testing.T) {
	img := kafkaImage(t)
	total := len(slices.Collect(img.Records()))
	for stop := range total {
		n := 0
		for range img.Records() {
			if n++; n > stop {
				break
			}
		}
		if n != stop+1 {
			t.Errorf("asked to stop after %d, got %d", stop+1, n)
		}
	}
}

// big is an image of n topics with one partition each.
func big(t testing.TB, n int) *Image {
	records := make([]Record, 0, 2*n)
	for i := range n {
		topicID := uuid.UUID{0: byte(i), 1: byte(i >> 8), 2: byte(i >> 16), 15: 1}
		records = append(records, &TopicRecord{Name: fmt.Sprintf("topic-%d-of-a-usual-length", i*7919%n), ID: topicID})
		p := partition(0, 0, 1)
		p.TopicID = topicID
		records = append(records, p)
	}
	return apply(t, Empty(), records...)
}

func TestLookUpsDoNotAllocate(t *testing.T) {
	img := big(t, 3000)
	name := []byte("topic-77-of-a-usual-length")
	topicID := img.TopicByBytes(name).ID
	if n := testing.AllocsPerRun(100, func() {
		if img.TopicByBytes(name) == nil || img.TopicByID(topicID) == nil || img.Broker(1) != nil || img.Config(2, "x") != nil {
			t.Fatal("look-up failed")
		}
	}); n != 0 {
		t.Errorf("look-ups take %v allocations", n)
	}
}

func TestAStepCopiesLittleOfALargeImage(t *testing.T) {
	img := big(t, 10_000)
	records := topic("one-more", 9, 1)
	// The new topic, its partition, its delta, and per index the list of
	// chunks, one chunk's keys and values: a fixed number whatever the size.
	if n := testing.AllocsPerRun(20, func() { _, _, _ = img.With(1, 1, records...) }); n > 60 {
		t.Errorf("one topic more takes %v allocations", n)
	}
}

func BenchmarkOneTopicMoreInTenThousand(b *testing.B) {
	img := big(b, 10_000)
	records := topic("one-more", 9, 1)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := img.With(1, 1, records...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTenThousandPartitionsInAStep(b *testing.B) {
	img := big(b, 10_000)
	records := topic("one-more", 9, 10_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := img.With(1, 1, records...); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTopicByBytesInTenThousand(b *testing.B) {
	img := big(b, 10_000)
	name := []byte("topic-77-of-a-usual-length")
	b.ReportAllocs()
	for b.Loop() {
		if img.TopicByBytes(name) == nil {
			b.Fatal("not found")
		}
	}
}
