package timers

import (
	"sync"

	"ottla/internal/metadata"
	"ottla/internal/timer"
)

// topics answers what coordinators ask of topics, from the image at hand: a topic's
// settings are looked up once for each image.
type topics struct {
	image func() *metadata.Image
	most  func(topic string) int // bytes of a batch

	mu    sync.Mutex // guards the two below
	of    *metadata.Image
	known map[string]timer.Topic
}

// topic implements timer.Options.Topic. The nodes' own topics are none.
func (t *topics) topic(name string) (timer.Topic, bool) {
	img := t.image()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.of != img {
		t.of, t.known = img, map[string]timer.Topic{}
	}
	if x, ok := t.known[name]; ok {
		return x, true
	}
	found := img.TopicByName(name)
	if found == nil || metadata.IsInternal(name) {
		return timer.Topic{}, false
	}
	x := timer.Topic{ID: found.ID, Partitions: int32(len(found.Partitions)), MaxBatchBytes: t.most(name)}
	t.known[name] = x
	return x, true
}
