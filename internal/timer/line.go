package timer

import (
	"ottla/internal/timer/schema"
	"ottla/internal/wire"
)

// takeUp steps a TakeUp.
func (t *turn) takeUp(c *TakeUp) error {
	at := t.m.lineAt(c.Line)
	switch {
	case c.Line == "" || len(c.Line) > MaxKey || c.To < c.From || c.To < 0:
		return wire.Errorf(wire.InvalidRequest, "a delay line %q from %d to %d", c.Line, c.From, c.To)
	case at != c.From:
		return wire.Errorf(wire.OffsetOutOfRange, "the delay line %s is taken up to %d, not to %d", c.Line, at, c.From)
	}
	for _, err := range t.store(c.Timers) {
		if err != nil {
			return err
		}
	}
	t.write(schema.LineKey(c.Line), schema.AppendLine(nil, c.To))
	t.answer(nil)
	return nil
}

func (m *Machine) lineAt(line string) int64 {
	if at, ok := m.lines[line]; ok {
		return at
	}
	return -1
}

// line steps a Line.
func (t *turn) line(c *Line) { t.answer(t.m.lineAt(c.Line)) }
