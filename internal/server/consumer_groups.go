package server

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"ottla/internal/broker"
	"ottla/internal/config"
	"ottla/internal/group"
	"ottla/internal/group/consumer"
	"ottla/internal/metadata"
)

// Heartbeats of groups whose partitions the server assigns: members of a node
// with few of them report often, so that groups settle soon, and all of them
// together no more often than mostBeats a second, as long as Kafka's interval
// is not passed.
const (
	quickestBeat = 300 * time.Millisecond
	slowestBeat  = 5 * time.Second
	mostBeats    = 500
)

// pace counts the members of a node. Its methods may be called from any
// goroutine.
type pace struct{ members atomic.Int64 }

func (p *pace) count(delta int) { p.members.Add(int64(delta)) }

// interval is how often a member shall report.
func (p *pace) interval() time.Duration {
	return min(max(time.Duration(p.members.Load())*(time.Second/mostBeats), quickestBeat), slowestBeat)
}

// consumerSettings are those of consumer groups; what a group may set for
// itself is read when it is asked for.
func (s *Server) consumerSettings() consumer.Settings {
	o := consumer.Defaults()
	o.Image, o.Of, o.Pace, o.Count = s.image, s.consumerTimes, s.pace.interval, s.pace.count
	o.Assignors = s.consumerAssignors()
	o.MaxSize = int(s.view.Int(nil, "group.consumer.max.size"))
	o.ClassicSize = int(s.view.Int(nil, "group.max.size"))
	policy := strings.ToLower(s.view.String(nil, "group.consumer.migration.policy"))
	o.Upgrade = policy == "bidirectional" || policy == "upgrade"
	o.Downgrade = policy == "bidirectional" || policy == "downgrade"
	return o
}

// consumerAssignors are group.consumer.assignors by their short names; Kafka's
// own classes have names too.
func (s *Server) consumerAssignors() []string {
	var out []string
	for name := range strings.SplitSeq(s.view.String(nil, "group.consumer.assignors"), ",") {
		name = strings.TrimSpace(name)
		switch name[strings.LastIndexByte(name, '.')+1:] {
		case "uniform", "UniformAssignor":
			out = append(out, "uniform")
		case "range", "RangeAssignor":
			out = append(out, "range")
		}
	}
	if len(out) == 0 {
		return consumer.Defaults().Assignors
	}
	return out
}

// consumerTimes are a group's intervals: what it or the node was told, else
// what adapts.
func (s *Server) consumerTimes(id string) consumer.Times {
	img := s.image()
	t := consumer.Times{Assignment: -1}
	t.Session, _ = s.groupTime(img, id, "consumer.session.timeout.ms")
	if d, set := s.groupTime(img, id, "consumer.heartbeat.interval.ms"); set {
		t.Heartbeat = d
	}
	if d, set := s.groupTime(img, id, "consumer.assignment.interval.ms"); set {
		t.Assignment = d
	}
	return t
}

// groupTime is a group's setting in milliseconds; set tells that somebody said
// it.
func (s *Server) groupTime(img *metadata.Image, id, name string) (d time.Duration, set bool) {
	v := s.view.Group(img, id, name)
	ms, err := strconv.ParseInt(v.Value, 10, 64)
	if err != nil { // values are checked before they are stored
		return 0, false
	}
	return time.Duration(ms) * time.Millisecond, v.Source != config.SourceDefault
}

// image is the newest metadata that the broker has acted on.
func (s *Server) image() *metadata.Image {
	if s.broker == nil {
		return metadata.Empty()
	}
	return s.broker.Image()
}

// topicNews are topics that changed and that coordinators have not been told
// of.
type topicNews struct {
	mu      sync.Mutex // guards the fields below; held for moments
	names   map[string]bool
	telling bool
}

// add notes topics of a step; true when nobody is telling of them.
func (n *topicNews) add(d *metadata.Delta) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names == nil {
		n.names = map[string]bool{}
	}
	for _, t := range d.Created {
		n.names[t.Name] = true
	}
	for _, t := range d.Deleted {
		n.names[t.Name] = true
	}
	for _, p := range d.Changed {
		n.names[p.Topic.Name] = true
	}
	if n.telling || len(n.names) == 0 {
		return false
	}
	n.telling = true
	return true
}

// take gives what is to be told, nil when nothing is left.
func (n *topicNews) take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	out := make([]string, 0, len(n.names))
	for name := range n.names {
		out = append(out, name)
	}
	clear(n.names)
	n.telling = len(out) > 0
	slices.Sort(out)
	return out
}

// tellTopics tells coordinators which topics changed; groups that read them are
// assigned anew. A coordinator that does not hear it looks by itself when it
// has loaded, and every few minutes.
func (s *Server) tellTopics(d *metadata.Delta) {
	if s.partitionsOf(broker.OffsetsTopic) == 0 || !s.news.add(d) {
		return
	}
	s.forgetting.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, forgetTimeout)
		defer cancel()
		for names := s.news.take(); len(names) > 0; names = s.news.take() {
			s.groups.Each(ctx, group.TopicsChanged{Names: names})
		}
	})
}
