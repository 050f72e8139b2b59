package queue_test

import (
	"context"
	"errors"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/object/hook"
	"ottla/internal/event/queue"
)

// resting objects are those of a node that rests: before it hears what an object is, or
// before it removes one.
type resting struct {
	queue.Objects
	heard, remove func()
}

func (o resting) Current(ctx context.Context, ref name.Ref) (object.Object, error) {
	got, err := o.Objects.Current(ctx, ref)
	o.heard()
	return got, err
}

func (o resting) Remove(ctx context.Context, what object.Object) error {
	o.remove()
	return o.Objects.Remove(ctx, what)
}

// A node rests while it deletes a queue, which another deletes and makes anew meanwhile:
// the new one stays, with its topic, its messages and what its group does.
func TestAQueueThatIsMadeAnewIsNotDeletedByWhoDeletesTheOldOne(t *testing.T) {
	for what, moment := range map[string]int{"before anything goes": 2, "before it is removed": 3} {
		t.Run(what, func(t *testing.T) {
			r := start(t)
			r.create("orders.fifo", nil)
			ending := int64(3) // the version of the queue that is deleted
			steps := 0
			step := func() {
				if steps++; steps != moment {
					return
				}
				r.must(r.q.Delete(r.ctx, ref("orders.fifo")))
				q := r.create("orders.fifo", nil)
				for q.Version < ending {
					var err error
					q, err = r.q.Update(r.ctx, ref("orders.fifo"), func(*queue.Spec) error { return nil })
					r.must(err)
				}
				r.sendAll("orders.fifo", grouped("g", "1", "new"))
			}
			late := r.q.With(func(o queue.Objects) queue.Objects { return resting{o, step, step} })
			t.Cleanup(late.Close)
			r.must(late.Delete(r.ctx, ref("orders.fifo")))
			if steps < moment {
				t.Fatalf("it took %d steps", steps)
			}
			q, err := r.q.Get(r.ctx, ref("orders.fifo"))
			r.must(err)
			r.want("its message", bodies(r.take("orders.fifo", 9)), "new:1")
			for _, setting := range []string{"queue.enable", "share.key.ordering"} {
				if got := r.groupSetting(q.Group, setting); got != "true" {
					t.Errorf("%s of its group is %q", setting, got)
				}
			}
		})
	}
}

// Somebody deletes a queue that another node has noted that it makes, and whose topic is
// not there yet: the topic that is made then is nobody's.
func TestAQueueThatIsDeletedWhileItIsMadeLeavesNothing(t *testing.T) {
	r := start(t)
	late := r.q.With(func(queue.Objects) queue.Objects {
		return hook.Objects{Store: r.s.Objects(), After: hook.Then(name.Queue, func() { r.must(r.q.Delete(r.ctx, ref("orders"))) })}
	})
	t.Cleanup(late.Close)
	if q, _, err := late.Create(r.ctx, ref("orders"), queue.DefaultSpec()); !errors.Is(err, queue.ErrNotFound) {
		t.Errorf("it was deleted meanwhile: %+v, %v", q, err)
	}
	r.noTopic("orders")
	if q, _, err := r.q.Create(r.ctx, ref("orders"), queue.DefaultSpec()); err != nil || q.Adopted {
		t.Errorf("made anew: %+v, %v", q, err)
	}
}

// A queue is asked for with more partitions where a node was killed that had made its
// topic.
func TestAQueueWhoseMakingWasCutOffHasAsManyPartitionsAsIsAsked(t *testing.T) {
	r := start(t)
	late := r.q.With(func(queue.Objects) queue.Objects {
		return hook.CutAfter(r.s.Objects(), name.Queue, func() {})
	})
	t.Cleanup(late.Close)
	spec := queue.DefaultSpec()
	if _, _, err := late.Create(r.ctx, ref("orders"), spec); !errors.Is(err, hook.ErrCut) {
		t.Fatalf("cut off: %v", err)
	}
	spec.Partitions = 3
	q, _, err := r.q.Create(r.ctx, ref("orders"), spec)
	all, listed := r.admin().ListTopics(r.ctx, "orders")
	r.must(listed)
	if has := len(all["orders"].Partitions); err != nil || q.Adopted || q.Partitions != 3 || has != 3 {
		t.Errorf("made anew: %+v, %v, with %d partitions", q, err, has)
	}
}

// groupSetting is a setting of a group.
func (r *rig) groupSetting(group, setting string) string {
	r.Helper()
	req := kmsg.NewPtrDescribeConfigsRequest()
	of := kmsg.NewDescribeConfigsRequestResource()
	of.ResourceType, of.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	req.Resources = append(req.Resources, of)
	c, err := kgo.NewClient(kgo.SeedBrokers(r.s.KafkaAddr()))
	r.must(err)
	defer c.Close()
	got, err := req.RequestWith(r.ctx, c)
	r.must(err)
	for _, c := range got.Resources[0].Configs {
		if c.Name == setting && c.Value != nil {
			return *c.Value
		}
	}
	return ""
}

// Somebody makes a topic where a queue was noted whose making was cut off: whoever deletes or
// makes what is left of that lets the topic be.
func TestATopicThatIsMadeWhereAQueueWasNotedStays(t *testing.T) {
	for _, anew := range []bool{false, true} {
		r := start(t)
		late := r.q.With(func(queue.Objects) queue.Objects {
			return hook.CutAfter(r.s.Objects(), name.Queue, func() {
				made, err := r.admin().CreateTopic(r.ctx, 1, -1, nil, "orders")
				r.must(errors.Join(err, made.Err))
			})
		})
		if _, _, err := late.Create(r.ctx, ref("orders"), queue.DefaultSpec()); !errors.Is(err, hook.ErrCut) {
			t.Errorf("cut off: %v", err)
		}
		late.Close()
		if anew {
			if q, made, err := r.q.Create(r.ctx, ref("orders"), queue.DefaultSpec()); err != nil || !made || !q.Adopted {
				t.Errorf("made: %+v, %v, %v", q, made, err)
			}
		}
		r.must(r.q.Delete(r.ctx, ref("orders")))
		all, err := r.admin().ListTopics(r.ctx, "orders")
		r.must(err)
		if all["orders"].Err != nil {
			t.Errorf("anew %v: the topic that somebody else made: %v", anew, all["orders"].Err)
		}
	}
}
