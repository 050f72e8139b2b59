package streams

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"ottla/internal/group/schema"
	"ottla/internal/metadata"
)

// plan is a topology over the topics that there are: how many tasks each
// subtopology has, and which internal topics must be made for it.
type plan struct {
	// subs are the subtopologies with the partitions of their internal topics.
	subs  []schema.Subtopology
	tasks map[string]int32 // by subtopology
	// missing are internal topics that are not there.
	missing []schema.StreamsTopic
	// problem says why nothing can be assigned; nil when all is ready.
	problem *Status
	hash    int64
}

func (p *plan) ready() bool { return p.problem == nil }

// stateful tells whether tasks of a subtopology have state to stand by with.
func stateful(s *schema.Subtopology) bool { return len(s.Changelogs) > 0 }

// topicsOf are all topics of a topology, sorted.
func topicsOf(t *schema.StreamsTopologyValue) []string {
	var out []string
	for i := range t.Subtopologies {
		s := &t.Subtopologies[i]
		out = append(out, s.Sources...)
		for _, list := range [][]schema.StreamsTopic{s.Repartitions, s.Changelogs} {
			for j := range list {
				out = append(out, list[j].Name)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// planner works a topology out.
type planner struct {
	img *metadata.Image
	t   *schema.StreamsTopologyValue
	// counts are the partitions of topics, 0 where they are not known yet;
	// fixed those of repartition topics that the application says.
	counts map[string]int32
	fixed  map[string]bool
	flex   map[string]bool // repartition topics that take any number
}

// look works out a topology over the topics of an image.
func look(t *schema.StreamsTopologyValue, img *metadata.Image) *plan {
	p := &planner{img: img, t: t, counts: map[string]int32{}, fixed: map[string]bool{}, flex: map[string]bool{}}
	out := &plan{tasks: map[string]int32{}, hash: hashOf(t, img)}
	if out.problem = p.sources(); out.problem != nil {
		return out
	}
	for _, step := range []func() *Status{p.repartitions, p.copartitions} {
		if out.problem = step(); out.problem != nil {
			return out
		}
	}
	if out.problem = p.finish(out); out.problem != nil && out.problem.Code != MissingInternal {
		out.subs, out.missing = nil, nil
	}
	return out
}

// sources counts the partitions of the topics that must be there.
func (p *planner) sources() *Status {
	var missing []string
	for i := range p.t.Subtopologies {
		s := &p.t.Subtopologies[i]
		for _, name := range s.Sources {
			if t := p.img.TopicByName(name); t != nil {
				p.counts[name] = int32(len(t.Partitions))
			} else {
				missing = append(missing, name)
			}
		}
		for j := range s.Repartitions {
			r := &s.Repartitions[j]
			if r.Partitions > 0 {
				p.counts[r.Name], p.fixed[r.Name] = r.Partitions, true
			} else {
				p.flex[r.Name] = true
			}
		}
	}
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return &Status{MissingSources, fmt.Sprintf("Source topics %s are missing.", strings.Join(slices.Compact(missing), ", "))}
}

// width is the most partitions that a subtopology reads.
func (p *planner) width(s *schema.Subtopology) int32 {
	var most int32
	for _, name := range s.Sources {
		most = max(most, p.counts[name])
	}
	for i := range s.Repartitions {
		most = max(most, p.counts[s.Repartitions[i].Name])
	}
	return most
}

// repartitions gives repartition topics as many partitions as the widest
// subtopology that writes them reads, which may be by way of others.
func (p *planner) repartitions() *Status {
	w := writers{p: p, of: map[string][]*schema.Subtopology{}, begun: map[string]bool{}}
	for i := range p.t.Subtopologies {
		s := &p.t.Subtopologies[i]
		for _, name := range s.Sinks {
			w.of[name] = append(w.of[name], s)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.flex)) {
		if !w.settle(name) {
			return &Status{WronglyPartitioned, "Failed to compute number of partitions for all repartition topics. There may be loops in the topology that cannot be resolved."}
		}
	}
	return nil
}

// writers counts the partitions of repartition topics, each once.
type writers struct {
	p     *planner
	of    map[string][]*schema.Subtopology // by the topic that they write
	begun map[string]bool
}

// settle counts a topic's partitions after those of all that its writers read;
// false where they go round in circles, or read nothing.
func (w *writers) settle(name string) bool {
	if w.p.counts[name] > 0 {
		return true
	}
	if w.begun[name] {
		return false
	}
	w.begun[name] = true
	var most int32
	for _, s := range w.of[name] {
		for i := range s.Repartitions {
			if !w.settle(s.Repartitions[i].Name) {
				return false
			}
		}
		most = max(most, w.p.width(s))
	}
	w.p.counts[name] = most
	return most > 0
}

// copartitions holds topics that must have as many partitions as each other,
// and gives those that take any number what the others have.
func (p *planner) copartitions() *Status {
	for i := range p.t.Subtopologies {
		s := &p.t.Subtopologies[i]
		for _, c := range s.Copartitions {
			if problem := p.level(s, &c); problem != nil {
				return problem
			}
		}
	}
	return nil
}

// level levels one group of topics.
func (p *planner) level(s *schema.Subtopology, c *schema.Copartition) *Status {
	given, loose := map[string]int32{}, []string(nil)
	outside := false
	for _, i := range c.Sources {
		given[s.Sources[i]] = p.counts[s.Sources[i]]
		outside = true
	}
	fixed := map[string]int32{}
	for _, i := range c.Repartitions {
		if name := s.Repartitions[i].Name; p.fixed[name] {
			fixed[name] = p.counts[name]
		} else {
			loose = append(loose, name)
		}
	}
	var n int32
	switch {
	case outside:
		if n = same(given); n == 0 {
			return uneven(given)
		}
		for _, name := range slices.Sorted(maps.Keys(fixed)) {
			if fixed[name] != n {
				return &Status{WronglyPartitioned, fmt.Sprintf("Number of partitions [%d] of repartition topic [%s] doesn't match number of partitions [%d] of the source topic.", fixed[name], name, n)}
			}
		}
	case len(fixed) > 0:
		if n = same(fixed); n == 0 {
			return uneven(fixed)
		}
	default:
		for _, name := range loose {
			n = max(n, p.counts[name])
		}
	}
	for _, name := range loose {
		p.counts[name] = n
	}
	return nil
}

// same is the number that all have, 0 when they differ.
func same(counts map[string]int32) int32 {
	var n int32
	for _, c := range counts {
		if n != 0 && c != n {
			return 0
		}
		n = c
	}
	return n
}

func uneven(counts map[string]int32) *Status {
	var b []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		b = append(b, fmt.Sprintf("%s=%d", name, counts[name]))
	}
	return &Status{WronglyPartitioned, fmt.Sprintf("Following topics do not have the same number of partitions: [{%s}]", strings.Join(b, ", "))}
}

// finish counts the tasks and compares internal topics with those that are
// there.
func (p *planner) finish(out *plan) *Status {
	var names []string
	seen := map[string]bool{}
	for i := range p.t.Subtopologies {
		s := p.t.Subtopologies[i]
		width := p.width(&s)
		out.tasks[s.ID] = width
		s.Repartitions, s.Changelogs = slices.Clone(s.Repartitions), slices.Clone(s.Changelogs)
		for j := range s.Repartitions {
			s.Repartitions[j].Partitions = p.counts[s.Repartitions[j].Name]
		}
		for j := range s.Changelogs {
			s.Changelogs[j].Partitions = width
		}
		for _, t := range slices.Concat(s.Repartitions, s.Changelogs) {
			there := p.img.TopicByName(t.Name)
			switch {
			case there == nil && !seen[t.Name]:
				out.missing, names = append(out.missing, t), append(names, t.Name)
			case there != nil && int32(len(there.Partitions)) != t.Partitions:
				return &Status{WronglyPartitioned, fmt.Sprintf("Existing topic %s has different number of partitions: expected %d, found %d", t.Name, t.Partitions, len(there.Partitions))}
			}
			seen[t.Name] = true
		}
		out.subs = append(out.subs, s)
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return &Status{MissingInternal, fmt.Sprintf("Internal topics are missing: [%s]", strings.Join(names, ", "))}
}

// hashOf is of the topology's topics that are there: names, ids, partitions; 0
// when there are none. It is not Kafka's: a log that comes from there is
// assigned anew once.
func hashOf(t *schema.StreamsTopologyValue, img *metadata.Image) int64 {
	h, none := fnv.New64a(), true
	var b []byte
	for _, name := range topicsOf(t) {
		if topic := img.TopicByName(name); topic != nil {
			none = false
			b = append(append(b[:0], name...), topic.ID[:]...)
			b = binary.BigEndian.AppendUint32(b, uint32(len(topic.Partitions)))
			_, _ = h.Write(b) // a hash takes all
		}
	}
	if none {
		return 0
	}
	return int64(h.Sum64())
}
