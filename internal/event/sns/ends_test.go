package sns_test

import (
	"errors"
	"testing"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/object/hook"
	"ottla/internal/event/sns"
)

// other makes topics of another node, of whose writing the test hears.
func (r *rig) other(before func(o object.Object, gone bool) error) *sns.Service {
	r.Helper()
	s := r.sns.With(func(sns.Objects) sns.Objects { return hook.Objects{Store: r.Objects(), Before: before} })
	r.Cleanup(s.Close)
	return s
}

// subscriptions are all that are kept, whoever's.
func (r *rig) subscriptions() []object.Object {
	r.Helper()
	all, _, err := r.Objects().List(r.ctx(), name.Ref{Kind: name.Subscription}, "", 100)
	r.must(err)
	return all
}

// A node is killed while it deletes a topic: before the first write nothing has happened,
// later there is no topic any more. Who deletes it again, or makes it, ends that.
func TestATopicWhoseDeletionWasCutOffLeavesNothing(t *testing.T) {
	r := newRig(t)
	q := r.queue("q", false)
	for cuts := 0; ; cuts++ {
		r.topic("orders", nil)
		r.subscribe("orders", "sqs", q, nil)
		r.publish("orders", sns.Message{Body: "old"})
		r.take("q", 1)
		writes := 0
		err := r.other(func(object.Object, bool) error {
			if writes++; writes > cuts {
				return hook.ErrCut
			}
			return nil
		}).Delete(r.ctx(), topicRef("orders"))
		if err != nil && !errors.Is(err, hook.ErrCut) {
			t.Fatalf("killed before write %d: %v", cuts+1, err)
		}
		if _, there := r.sns.Get(r.ctx(), topicRef("orders")); there == nil != (cuts == 0) {
			t.Errorf("after %d writes: %v", cuts, there)
		}
		if cuts%2 == 1 {
			if made := r.topic("orders", nil); made.Adopted || len(r.subscriptions()) != 0 {
				t.Errorf("after %d writes it was made again: %+v, with %v", cuts, made, r.subscriptions())
			}
		}
		if err := r.sns.Delete(r.ctx(), topicRef("orders")); err != nil && !errors.Is(err, sns.ErrNotFound) {
			t.Errorf("after %d writes it is deleted again: %v", cuts, err)
		}
		if n := r.partitions("orders"); n != 0 || len(r.subscriptions()) != 0 {
			t.Errorf("after %d writes these are left: %d partitions, %v", cuts, n, r.subscriptions())
		}
		if err == nil {
			if cuts != 3 { // that it ends, the subscription, the topic
				t.Errorf("%d writes", cuts)
			}
			return
		}
	}
}

// Another node deletes the topic and makes it anew while this one deletes it: what was
// made stays, with its subscriptions.
func TestATopicThatIsMadeAnewIsNotDeletedByWhoDeletesTheOldOne(t *testing.T) {
	for _, kind := range []name.Kind{name.Subscription, name.SNS} { // the moments before Kafka's topic goes, and after
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t)
			q := r.queue("q", false)
			ending := r.topic("orders", nil).Version + 1
			r.subscribe("orders", "sqs", q, nil)
			late := r.other(hook.Once(kind, true, func() {
				r.must(r.sns.Delete(r.ctx(), topicRef("orders")))
				made := r.topic("orders", nil)
				for made.Version < ending { // the version that the late one is to remove
					var err error
					made, err = r.sns.Update(r.ctx(), topicRef("orders"), func(*sns.TopicSpec) error { return nil })
					r.must(err)
				}
				r.subscribe("orders", "sqs", q, nil)
			}))
			r.must(late.Delete(r.ctx(), topicRef("orders")))
			r.publish("orders", sns.Message{Body: "new"})
			r.take("q", 1)
		})
	}
}

// Who subscribes while the topic goes is refused, or is of the new one.
func TestNobodySubscribesToATopicThatGoes(t *testing.T) {
	for _, anew := range []bool{false, true} {
		r := newRig(t)
		q := r.queue("q", false)
		r.topic("orders", nil)
		late := r.other(hook.Once(name.Subscription, false, func() {
			r.must(r.sns.Delete(r.ctx(), topicRef("orders")))
			if anew {
				r.topic("orders", nil)
			}
		}))
		_, err := late.Subscribe(r.ctx(), topicRef("orders"), sns.SubscriptionSpec{Protocol: "sqs", Endpoint: q})
		if anew != (err == nil) || err != nil && !errors.Is(err, sns.ErrNotFound) {
			t.Errorf("anew %v: %v", anew, err)
		}
		if !anew {
			if left := r.subscriptions(); len(left) != 0 {
				t.Errorf("left: %v", left)
			}
			continue
		}
		r.publish("orders", sns.Message{Body: "new"})
		r.take("q", 1)
	}
}

// Somebody deletes a topic that another node has noted that it makes, and whose topic of
// Kafka's is not there yet: that which is made then is nobody's.
func TestATopicThatIsDeletedWhileItIsMadeLeavesNothing(t *testing.T) {
	r := newRig(t)
	late := r.sns.With(func(sns.Objects) sns.Objects {
		return hook.Objects{Store: r.Objects(), After: hook.Then(name.SNS, func() { r.must(r.sns.Delete(r.ctx(), topicRef("orders"))) })}
	})
	defer late.Close()
	if made, err := late.Create(r.ctx(), topicRef("orders"), sns.TopicSpec{}); !errors.Is(err, sns.ErrNotFound) {
		t.Errorf("it was deleted meanwhile: %+v, %v", made, err)
	}
	if made, err := r.sns.Create(r.ctx(), topicRef("orders"), sns.TopicSpec{}); err != nil || made.Adopted {
		t.Errorf("made anew: %+v, %v", made, err)
	}
}

// A topic is asked for with more partitions where a node was killed that had made Kafka's.
func TestATopicWhoseMakingWasCutOffHasAsManyPartitionsAsIsAsked(t *testing.T) {
	r := newRig(t)
	late := r.sns.With(func(sns.Objects) sns.Objects {
		return hook.CutAfter(r.Objects(), name.SNS, func() {})
	})
	defer late.Close()
	if _, err := late.Create(r.ctx(), topicRef("orders"), sns.TopicSpec{}); !errors.Is(err, hook.ErrCut) {
		t.Fatalf("cut off: %v", err)
	}
	made, err := r.sns.Create(r.ctx(), topicRef("orders"), sns.TopicSpec{Partitions: 3})
	if has := r.partitions("orders"); err != nil || made.Adopted || has != 3 {
		t.Errorf("made anew: %+v, %v, with %d partitions", made, err, has)
	}
}

// Somebody makes a topic of Kafka's where a topic was noted whose making was cut off: whoever
// deletes or makes what is left lets it be.
func TestKafkasTopicThatIsMadeMeanwhileStays(t *testing.T) {
	for _, anew := range []bool{false, true} {
		r := newRig(t)
		late := r.sns.With(func(sns.Objects) sns.Objects {
			return hook.CutAfter(r.Objects(), name.SNS, func() { r.make("orders") })
		})
		if _, err := late.Create(r.ctx(), topicRef("orders"), sns.TopicSpec{}); !errors.Is(err, hook.ErrCut) {
			t.Errorf("cut off: %v", err)
		}
		late.Close()
		if anew {
			if made, err := r.sns.Create(r.ctx(), topicRef("orders"), sns.TopicSpec{}); err != nil || !made.Adopted {
				t.Errorf("made: %+v, %v", made, err)
			}
		}
		r.must(r.sns.Delete(r.ctx(), topicRef("orders")))
		if r.partitions("orders") == 0 {
			t.Errorf("anew %v: the topic that somebody else made is gone", anew)
		}
	}
}
