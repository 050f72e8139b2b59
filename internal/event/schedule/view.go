package schedule

import (
	"sync"

	"ottla/internal/event/schedule/course"
)

// view is what this node knows of all schedules, by key.
type view struct {
	mu  sync.Mutex // guards all
	all map[string]*known
}

// known is a definition with what its timing comes to.
type known struct {
	Schedule
	timing course.Timing
	err    error // the definition means nothing here; it does not run
}

func newView() *view { return &view{all: map[string]*known{}} }

// put takes a definition over. One that cannot be read stays known: what has happened
// to it is kept, or its runs would be made again when it can be.
func (v *view) put(key string, s Schedule, unreadable error) {
	k := &known{Schedule: s, err: unreadable}
	if unreadable == nil {
		k.timing, k.err = s.timing()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.all[key] = k
}

func (v *view) remove(key string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.all, key)
}

// get is a definition, which nobody changes; nil when there is none.
func (v *view) get(key string) *known {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.all[key]
}

func (v *view) empty() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.all) == 0
}

// of are the keys of the schedules in a partition, in no order.
func (v *view) of(partition int32, partitions int) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var out []string
	for key := range v.all {
		if partitionOf(key, partitions) == partition {
			out = append(out, key)
		}
	}
	return out
}
