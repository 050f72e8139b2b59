package crowd

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// What every client does in its groups.
const (
	parts = 6
	round = 300
)

// Within bounds every wait.
const Within = time.Minute

// World is the client, as the scenarios want it.
type World interface {
	// Create makes a topic named after name and gives its whole name.
	Create(name string, partitions int) (topic string, err error)
	// Send sends the numbers first to last-1, number i to partition i%partitions,
	// and returns when all are acknowledged.
	Send(topic string, partitions, first, last int) error
	// Join makes a member of a group. instance is "" for a dynamic member. got is
	// called for each record, by one goroutine a member or several.
	Join(group, topic, instance string, got func(Record)) (Member, error)
	// Committed gives a group's committed offset of each partition.
	Committed(group, topic string, partitions int) (map[int32]int64, error)
	// Describe gives a group's state and its members' client ids.
	Describe(group string) (state string, clients []string, err error)
	// List gives the ids of all groups, Delete the Kafka name of its error.
	List() ([]string, error)
	Delete(group string) (string, error)
}

// Repeating is a World whose producer stores a record twice when the answer to it
// is lost, as a restart may have it.
type Repeating interface {
	// Ends gives the end of each partition of a topic.
	Ends(topic string, partitions int) (map[int32]int64, error)
}

// Record is one number that came.
type Record struct {
	Partition int32
	Offset    int64
	Number    int
}

// Member is one consumer of a group.
type Member interface {
	// Owned gives the partitions it has now, and how often it was given some.
	Owned() (partitions []int32, assignments int)
	// Commit commits what came; offsets, where not nil, instead of that.
	Commit(offsets map[int32]int64) error
	// Leave closes the member; it commits nothing.
	Leave() error
}

// sight is what the members of one scenario have seen.
type sight struct {
	mu  sync.Mutex // guards all
	all []Record
}

func (s *sight) got(r Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, r)
}

// counts tells how often each number came.
func (s *sight) counts() map[int]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[int]int{}
	for _, r := range s.all {
		out[r.Number]++
	}
	return out
}

func (s *sight) offsets() []int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []int64
	for _, r := range s.all {
		out = append(out, r.Offset)
	}
	return out
}

// all waits until total numbers came.
func (s *sight) wait(total int) error {
	return until(fmt.Sprintf("%d records", total), func() (bool, string) {
		n := len(s.counts())
		return n >= total, fmt.Sprint(n)
	})
}

// once checks that the numbers below total came once each.
func (s *sight) once(total int) error {
	counts := s.counts()
	for i := range total {
		if counts[i] != 1 {
			return fmt.Errorf("number %d came %d times, want once", i, counts[i])
		}
	}
	return nil
}

// until asks again and again; check gives what it saw for the failure's text.
func until(what string, check func() (bool, string)) error {
	for end := time.Now().Add(Within); ; time.Sleep(20 * time.Millisecond) {
		done, saw := check()
		if done {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s did not come, but %s", what, saw)
		}
	}
}

// settle waits until every partition has one owner and every member some.
func settle(members []Member) error {
	return until("the assignment", func() (bool, string) {
		var all []int32
		for _, m := range members {
			owned, _ := m.Owned()
			if len(owned) == 0 {
				return false, "a member without partitions"
			}
			all = append(all, owned...)
		}
		slices.Sort(all)
		return slices.Equal(all, []int32{0, 1, 2, 3, 4, 5}), fmt.Sprint(all)
	})
}

// ends is what is committed when all of total numbers were read.
func ends(total int) map[int32]int64 {
	out := map[int32]int64{}
	for p := range int32(parts) {
		out[p] = int64(total / parts)
	}
	return out
}

func committed(w World, topic string, want map[int32]int64) error {
	got, err := w.Committed(topic, topic, len(want))
	if err != nil {
		return fmt.Errorf("read the committed offsets: %w", err)
	}
	if !maps.Equal(got, want) {
		return fmt.Errorf("committed is %v, want %v", got, want)
	}
	return nil
}

func commitAll(members []Member) error {
	for _, m := range members {
		if err := m.Commit(nil); err != nil {
			return fmt.Errorf("commit: %w", err)
		}
	}
	return nil
}

// sentEnds is where a topic ends to which so many numbers were sent.
func sentEnds(w World, topic string, total int) (map[int32]int64, error) {
	if r, ok := w.(Repeating); ok {
		return r.Ends(topic, parts)
	}
	return ends(total), nil
}

// commitEnds commits until the ends are committed: a member that joined again
// reads again, and commits, what it had not committed, and a group that joins anew
// refuses commits.
func commitEnds(w World, topic string, members []Member, want map[int32]int64) error {
	return until(fmt.Sprintf("the commit of %v", want), func() (bool, string) {
		err := commitAll(members)
		if err == nil {
			err = committed(w, topic, want)
		}
		if err != nil {
			return false, err.Error()
		}
		return true, ""
	})
}

func leaveAll(members []Member) error {
	for _, m := range members {
		if err := m.Leave(); err != nil {
			return fmt.Errorf("leave: %w", err)
		}
	}
	return nil
}
