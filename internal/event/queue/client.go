package queue

import (
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/produce"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// fits is what topics took when a client asked.
type fits struct {
	most func(topic string) int

	mu   sync.Mutex // guards told
	told map[string]int
}

// tell is most, noted.
func (f *fits) tell(topic string) int {
	n := f.most(topic)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.told[topic] = n
	return n
}

// outdated tells whether any topic takes another size by now.
func (f *fits) outdated() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for topic, n := range f.told {
		if f.most(topic) != n {
			return true
		}
	}
	return false
}

// most is what a batch of a topic may have.
func (s *Service) most(topic string) int {
	if s.o.MostBytes == nil {
		return 2 * MaxMessageBytes
	}
	return s.o.MostBytes(topic)
}

// producer is a client that sends messages. It knows topics by their ids and by what
// they took when it met them; when a topic is another, a new producer takes its place.
type producer struct {
	c       *kgo.Client
	met     map[string]meeting // by the topic's name
	users   int
	retired bool // it ends with its last user
}

// meeting is what a producer knows of a topic.
type meeting struct {
	id   uuid.UUID
	most int
}

// mostMet bounds the topics of one producer, which asks for the metadata of all of
// them as long as it is.
const mostMet = 1000

// producer gives a producer that knows a topic as it is now, or nothing of it. release
// must follow.
func (s *Service) producer(t *metadata.Topic) (*producer, meeting, error) {
	now := meeting{t.ID, s.most(t.Name)}
	s.mu.Lock()
	p, old, err := s.producerLocked(t.Name, now)
	s.mu.Unlock()
	if old != nil {
		old.Close()
	}
	return p, now, err
}

// producerLocked is producer; old is to be closed. mu held.
func (s *Service) producerLocked(topic string, now meeting) (p *producer, old *kgo.Client, err error) {
	if s.closed {
		return nil, nil, fmt.Errorf("%w: the node stops", ErrUnavailable)
	}
	if p = s.sender; p != nil {
		if was, ok := p.met[topic]; ok && was != now || !ok && len(p.met) >= mostMet {
			old = s.retire(p)
		}
	}
	if s.sender == nil {
		c, err := s.o.Client(produce.AtOnce(s.most)...)
		if err != nil {
			return nil, old, fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		s.sender = &producer{c: c, met: map[string]meeting{}}
	}
	p = s.sender
	p.met[topic] = now
	p.users++
	return p, old, nil
}

// retire has the next ask for another producer; what it gives is to be closed. mu
// held.
func (s *Service) retire(p *producer) *kgo.Client {
	if s.sender == p {
		s.sender = nil
	}
	if p.retired = true; p.users > 0 {
		return nil
	}
	return p.c
}

// release gives a producer back; stale says that it knows topics that are not there
// any more.
func (s *Service) release(p *producer, stale bool) {
	s.mu.Lock()
	var old *kgo.Client
	if p.users--; stale || p.retired {
		old = s.retire(p)
	}
	s.mu.Unlock()
	if old != nil {
		old.Close()
	}
}
