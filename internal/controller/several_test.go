package controller

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// Replicas of a partition are in as many racks as there are, and leaders spread
// evenly, whatever the racks.
func TestReplicasAreSpreadOverRacks(t *testing.T) {
	for _, racks := range []string{"ab", "aab", "abc", "aabbc", "aabbcc", "abcd", "aaab", "aaabbbccc"} {
		c := New(Options{NewID: counter16()})
		rack, distinct := map[int32]byte{}, map[byte]bool{}
		for i := range racks {
			id := int32(i + 1)
			rack[id], distinct[racks[i]] = racks[i], true
			epoch := step(t, c, RegisterBroker{Broker: metadata.Broker{ID: id, Incarnation: number(i + 1), Rack: racks[i : i+1]}}).(int64)
			step(t, c, UnfenceBroker{id, epoch})
		}
		for factor := 1; factor <= len(racks); factor++ {
			name := fmt.Sprint("t", factor)
			step(t, c, CreateTopics{Topics: []NewTopic{{Name: name, Partitions: 60, Replicas: int16(factor)}}})
			leads := map[int32]int{}
			for _, p := range c.image().TopicByName(name).Partitions {
				in := map[byte]bool{}
				for _, id := range p.Replicas {
					in[rack[id]] = true
				}
				if want := min(factor, len(distinct)); len(in) != want {
					t.Fatalf("racks %s, %d replicas: %v lie in %d racks, want %d", racks, factor, p.Replicas, len(in), want)
				}
				leads[p.Leader]++
			}
			for id := range rack {
				if even := 60 / len(racks); leads[id] < even || leads[id] > even+1 {
					t.Errorf("racks %s: node %d leads %d of 60", racks, id, leads[id])
				}
			}
		}
	}
}

// Broker epochs rise for ever, whichever node of the quorum gives them: what was
// accepted and lost with a leadership was given to nobody.
func TestBrokerEpochsRiseAcrossLeaderships(t *testing.T) {
	nodes := []*Controller{New(Options{NewID: counter()}), New(Options{NewID: counter()}), New(Options{NewID: counter()})}
	img, leader := metadata.Empty(), 0
	given := map[int64]string{}
	last := int64(-1)
	for n := range 300 {
		id := int32(1 + n%3)
		records, reply, err := nodes[leader].Step(time.Time{}, RegisterBroker{OldGone: true, Broker: metadata.Broker{ID: id, Incarnation: number(n + 1)}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			nodes[leader].Apply(r)
		}
		if lost := n%7 == 3; lost { // not committed: another leads, from what was
			leader = (leader + 1) % 3
			nodes[leader].Reset(img)
			continue
		}
		// Control records of the quorum take offsets too.
		if img, _, err = img.With(img.Offset+int64(len(records)+n%2), 1, records...); err != nil {
			t.Fatal(err)
		}
		epoch := reply.(int64)
		if epoch <= last || given[epoch] != "" || epoch > img.Offset {
			t.Fatalf("registration %d has epoch %d after %d, at offset %d", n, epoch, last, img.Offset)
		}
		last, given[epoch] = epoch, fmt.Sprint(n)
		if n%5 == 0 {
			leader = n / 5 % 3
			nodes[leader].Reset(img)
		}
	}
}

// Commands and replies travel as JSON; what only the deciding node knows does
// not.
func TestCommandsTravelAsJSON(t *testing.T) {
	for _, one := range []any{
		AlterPartition{Broker: 1, Epoch: 2, Partitions: []NewISR{{TopicID: number(1), Index: 2, LeaderEpoch: 3, PartitionEpoch: 4, ISR: []BrokerState{{1, -1}}, LeaderRecovery: 1}}},
		[]AlteredPartition{{Result: Result{107, "no"}, TopicID: number(1), ISR: []int32{1}}},
		RenewReplicas{ID: 1, Epoch: 2, Partitions: []TopicIDPartition{{number(1), 2}}},
		SettleEnd{ID: 1, Epoch: 2, TopicID: number(1), Index: 3, PartitionEpoch: 4, Heir: -1, Away: []int32{5}},
		AdmitNode{3, number(7)}, Rebalance{}, Rebalanced{3, true}, ShutDown{1, 2, 3}, FenceBroker{1, 2, "why"}, UnregisterController{7}, ExplainPartition{"a", 1}, ExplainLosses{},
		Explained{3, 5000, []Reason{{At: time.Unix(5, 0).UTC(), Topic: "a", Why: "because", ISR: []int32{1}, Unclean: true}}},
		RegisterBroker{Broker: metadata.Broker{ID: 1, Incarnation: number(1), Directories: []uuid.UUID{number(2)}}, Lossy: true},
	} {
		text, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(one))
		if err := json.Unmarshal(text, back.Interface()); err != nil || !reflect.DeepEqual(back.Elem().Interface(), one) {
			t.Errorf("%T: %s is %+v, %v", one, text, back.Elem(), err)
		}
	}
	text, _ := json.Marshal(RegisterBroker{OldGone: true})
	if strings.Contains(string(text), "OldGone") {
		t.Errorf("who asks says that the old process is gone: %s", text)
	}
}

// Reasons are bounded, in all and for one partition, and kept in order.
func TestReasonsAreBounded(t *testing.T) {
	c := New(Options{NewID: counter16()})
	told := 0
	c.options.OnReason = func(Reason) { told++ }
	var epochs []int64
	for id := int32(1); id <= 2; id++ {
		epochs = append(epochs, step(t, c, RegisterBroker{Broker: metadata.Broker{ID: id, Incarnation: number(int(id))}}).(int64))
		step(t, c, UnfenceBroker{id, epochs[id-1]})
	}
	step(t, c, CreateTopics{Topics: []NewTopic{{Name: "a", Partitions: 500, Replicas: 1}}})
	for range 20 {
		step(t, c, FenceBroker{ID: 1, Epoch: epochs[0], Why: strings.Repeat("long ", 100)})
		step(t, c, UnfenceBroker{1, epochs[0]})
	}
	if told != 20*2*250 || len(c.reasons.ring) != maxReasons {
		t.Errorf("%d were told, %d are kept", told, len(c.reasons.ring))
	}
	of := c.Reasons("a", c.image().TopicByName("a").Partitions[0].Index)
	if len(of) != maxPartitionReasons {
		t.Fatalf("%d of one partition", len(of))
	}
	for i, r := range of {
		if len(r.Why) > maxWhy || i > 0 && r.LeaderEpoch != of[i-1].LeaderEpoch+1 {
			t.Errorf("reason %d: %+v", i, r)
		}
	}
	if others := c.Reasons("b", 0); len(others) != 0 {
		t.Errorf("of another topic: %v", others)
	}
}

// thousands is a cluster of so many brokers that lead 10,000 partitions of three
// replicas, 1,000 each with ten brokers.
func thousands(t testing.TB, brokers int32) *Controller {
	t.Helper()
	c := New(Options{NewID: counter16(), MinInsync: 2, Features: map[string][2]int16{"metadata.version": {33, 33}, metadata.ELRVersion: {0, 1}}})
	step(t, c, Bootstrap{Features: map[string]int16{"metadata.version": 33, metadata.ELRVersion: 1}})
	for id := int32(1); id <= brokers; id++ {
		epoch := step(t, c, RegisterBroker{Broker: metadata.Broker{ID: id, Incarnation: number(int(id))}}).(int64)
		step(t, c, UnfenceBroker{id, epoch})
	}
	var topics []NewTopic
	for n := range 100 {
		topics = append(topics, NewTopic{Name: fmt.Sprint("t", n), Partitions: 100, Replicas: 3})
	}
	step(t, c, CreateTopics{Topics: topics})
	return c
}

func TestANodeThatLeadsAThousandPartitionsDiesInOneStep(t *testing.T) {
	c := thousands(t, 10)
	step(t, c, FenceBroker{ID: 1, Epoch: c.image().Broker(1).Epoch})
	for topic := range c.image().Topics() {
		for _, p := range topic.Partitions {
			if p.Leader < 2 || slices.Contains(p.ISR, 1) || len(p.ISR) < 2 {
				t.Fatalf("%s-%d: %+v", topic.Name, p.Index, p)
			}
		}
	}
}

func BenchmarkANodeThatLeadsAThousandPartitionsDies(b *testing.B) {
	c := thousands(b, 10)
	epoch := c.image().Broker(1).Epoch
	b.ReportAllocs()
	for b.Loop() { // Step alone changes nothing
		records, _, err := c.Step(time.Time{}, FenceBroker{ID: 1, Epoch: epoch})
		if err != nil || len(records) < 3000 {
			b.Fatal(len(records), err)
		}
	}
}

func BenchmarkANodeThatLeadsAThousandPartitionsDiesAndIsBack(b *testing.B) {
	c := thousands(b, 10)
	epoch := c.image().Broker(1).Epoch
	b.ReportAllocs()
	for b.Loop() {
		step(b, c, FenceBroker{ID: 1, Epoch: epoch})
		step(b, c, UnfenceBroker{1, epoch})
	}
}
