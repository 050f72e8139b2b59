package queue_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/event/queue"
)

// asked are the keys of the requests that a client wrote.
type asked struct {
	mu   sync.Mutex
	keys []int16
}

func (a *asked) OnBrokerWrite(_ kgo.BrokerMetadata, key int16, _ int, _, _ time.Duration, _ error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.keys = append(a.keys, key)
}

// all are the requests of two kinds, in their order.
func (a *asked) all(x, y int16) (out []int16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(a.keys), func(k int16) bool { return k != x && k != y })
}

// A node may lead a partition and not have heard yet of what comes behind it. A queue began
// at the end of what was sent then, once in nine hundred queues that were made anew.
func TestAGroupHasItsSettingsBeforeThereIsItsTopic(t *testing.T) {
	r := start(t)
	r.create("others", nil) // what all queues need is there
	var a asked
	q := r.q.Asking(kgo.WithHooks(&a))
	defer q.Close()
	_, _, err := q.Create(r.ctx, ref("orders"), queue.DefaultSpec())
	r.must(err)
	settings, topic := kmsg.IncrementalAlterConfigs.Int16(), kmsg.CreateTopics.Int16() // first only whether it may be made
	if got := a.all(settings, topic); !slices.Equal(got, []int16{topic, settings, topic}) {
		t.Errorf("the requests were %v, want the settings (%d) between those of the topic", got, settings)
	}
}
