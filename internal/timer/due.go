package timer

import "ottla/internal/timer/table"

// loaded brings the heap in order, and sends what was on its way.
func (t *turn) loaded() {
	m := t.m
	for _, g := range m.sortedTargets() {
		if len(g.Flight) > 0 {
			t.carry(g, &g.Target, true)
		}
	}
	t.accepted(m.timers.Tighten)
	t.gatherSoon()
}

// gather takes what is due off the heap and gives it to its targets.
func (t *turn) gather() {
	ms := t.wallMs()
	t.accepted(func() { t.m.gatherDue(ms) })
	t.timer(planKey{}, 0, plan{})
}

// gatherDue is the soft change of a gather: the heap has in it what is not queued.
func (m *Machine) gatherDue(ms int64) {
	m.armedMs = 0
	topics := map[int32]Topic{}
	for range mostGathered {
		r := m.timers.TakeDue(ms)
		if r == table.None {
			return
		}
		e := m.timers.Get(r)
		topic, ok := topics[e.Topic]
		if !ok {
			topic, _ = m.o.Topic(m.names[e.Topic])
			topics[e.Topic] = topic
		}
		index := int32(0)
		if topic.Partitions > 0 {
			index = partitionOf(e.Spread, topic.Partitions)
		} else if e.Spread >= 0 {
			index = e.Spread
		}
		g := m.target(spot{m.names[e.Topic], index})
		g.queue = append(g.queue, queued{r, e.Offset})
		m.list(g)
	}
}

// list notes that a target has something to do, unless it is known or busy.
func (m *Machine) list(g *target) {
	if !g.listed && !g.busy && len(g.queue) > 0 {
		g.listed = true
		m.runnable = append(m.runnable, g)
	}
}
