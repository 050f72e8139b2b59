package streams

import "ottla/internal/group/schema"

// endpoints tell where queries can be asked: for each member that says where
// it is reached, the partitions that its tasks read.
func (e *edit) endpoints() []Endpoint {
	out := []Endpoint{}
	subs := map[string]*schema.Subtopology{}
	for i := range e.look().subs {
		subs[e.plan.subs[i].ID] = &e.plan.subs[i]
	}
	for _, id := range e.g.ids {
		m := e.g.members[id]
		if m.said.Endpoint == nil {
			continue
		}
		out = append(out, Endpoint{
			At: *m.said.Endpoint, Active: e.partitions(m.assigned[active], subs),
			Standby: e.partitions(m.assigned[standby].with(m.assigned[warmup]), subs),
		})
	}
	return out
}

// partitions are those of the topics that tasks read.
func (e *edit) partitions(list tasks, subs map[string]*schema.Subtopology) []TopicPartitions {
	var out []TopicPartitions
	img := e.k.s.Image()
	for _, t := range list.list(false) {
		s := subs[t.Subtopology]
		if s == nil {
			continue
		}
		for _, name := range reads(s) {
			topic := img.TopicByName(name)
			if topic == nil {
				continue
			}
			row := TopicPartitions{Topic: name}
			for _, p := range t.Partitions {
				if int(p) < len(topic.Partitions) {
					row.Partitions = append(row.Partitions, p)
				}
			}
			out = append(out, row)
		}
	}
	return out
}

// reads are the topics that a subtopology reads.
func reads(s *schema.Subtopology) []string {
	out := append([]string(nil), s.Sources...)
	for i := range s.Repartitions {
		out = append(out, s.Repartitions[i].Name)
	}
	return out
}
