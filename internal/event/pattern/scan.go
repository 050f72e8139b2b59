package pattern

import "ottla/internal/event/jsonwalk"

// Matcher is the memory that matching works in, kept from one event to the next
// so that it allocates nothing. One goroutine uses it at a time; the zero value
// is ready. It keeps no event: what it points to is let go at the next one.
type Matcher struct {
	w jsonwalk.Walker

	values []value
	// heads are the values of each path by its number; those whose round is not
	// the current one are of an earlier event.
	heads []head
	round uint32
	// scopes are the elements of lists that hold objects or lists, in the order
	// in which they begin; the first is the event itself.
	scopes  []scope
	scope   int32
	lists   int32
	escaped []byte // unescaped strings of this event

	lower  [mostFolded]byte
	search search

	tried      []tried // an open-addressed table; what is of another round is free
	triedCount int
}

// head is where a path's values begin and end in Matcher.values.
type head struct {
	round       uint32
	first, last int32
}

// scope is an element of a list, or the event. What lies in it is together: the
// scopes from behind it to end, the values from first to last.
type scope struct {
	parent      int32
	list        int32 // which list, in the order in which they begin
	end         int32
	first, last int32
}

// read walks an event and keeps the values that root's paths name.
func (m *Matcher) read(root *step, paths int, event []byte) error {
	m.w.Begin(event)
	m.values, m.escaped, m.scope, m.lists = m.values[:0], m.escaped[:0], 0, 0
	m.scopes, m.triedCount = append(m.scopes[:0], scope{}), 0
	if len(m.heads) < paths {
		m.heads = make([]head, paths+paths/4) // of no round
	}
	if m.round++; m.round == 0 {
		clear(m.heads)
		clear(m.tried)
		m.round = 1
	}
	if len(event) > MaxEventBytes {
		return &EventError{MaxEventBytes, "is longer than 67108864 bytes"}
	}
	i := m.w.Space(0)
	if i == len(event) || event[i] != '{' {
		return &EventError{i, "an event is a JSON object"}
	}
	if i = m.object(i+1, root); i >= 0 {
		if i = m.w.Space(i); i < len(event) {
			i = m.w.Bad(i, "nothing may follow the event's last bracket")
		}
	}
	if i < 0 {
		return &EventError{m.w.ProblemAt, m.w.Problem}
	}
	m.scopes[0].end, m.scopes[0].last = int32(len(m.scopes)), int32(len(m.values))
	return nil
}

// object walks an object, behind its first bracket.
func (m *Matcher) object(i int, at *step) int {
	i = m.w.Enter(i)
	if m.w.At(i, '}') {
		return m.w.Leave(i)
	}
	for i >= 0 {
		next, name, escaped := m.w.Name(i)
		if next < 0 {
			return next
		}
		if escaped {
			name = m.unescaped(name)
		}
		if kid := at.under(name); kid != nil {
			i = m.value(next, kid)
		} else {
			i = m.w.Skip(next)
		}
		if i < 0 {
			return i
		}
		if i = m.w.Space(i); m.w.At(i, '}') {
			return m.w.Leave(i)
		}
		i = m.w.Comma(i)
	}
	return i
}

// value walks a value that stands at a step.
func (m *Matcher) value(i int, at *step) int {
	if i == len(m.w.Text) {
		return m.w.Bad(i, "ends too early")
	}
	switch c := m.w.Text[i]; {
	case c == '"':
		end, escaped := m.w.StringEnd(i + 1)
		if end < 0 {
			return end
		}
		if at.path != 0 {
			text := m.w.Text[i+1 : end]
			if escaped {
				text = m.unescaped(text)
			}
			m.keep(at, kindText, text)
		}
		return end + 1
	case c == '{':
		if !at.hasKids() {
			return m.w.SkipObject(i + 1)
		}
		return m.object(i+1, at)
	case c == '[':
		return m.list(i+1, at)
	}
	end := m.w.ScalarEnd(i)
	if end >= 0 && at.path != 0 {
		kind := kindNumber
		if m.w.Text[i] >= 'a' {
			kind = kindWord
		}
		m.keep(at, kind, m.w.Text[i:end])
	}
	return end
}

// list walks a list, behind its first bracket. Its elements have the list's path.
func (m *Matcher) list(i int, at *step) int {
	i = m.w.Enter(i)
	list := m.lists
	m.lists++
	if m.w.At(i, ']') {
		return m.w.Leave(i)
	}
	for i >= 0 {
		if i < len(m.w.Text) && (m.w.Text[i] == '{' || m.w.Text[i] == '[') {
			outer, here := m.scope, int32(len(m.scopes))
			m.scopes = append(m.scopes, scope{parent: outer, list: list, first: int32(len(m.values))})
			m.scope = here
			i = m.value(i, at)
			m.scopes[here].end, m.scopes[here].last, m.scope = int32(len(m.scopes)), int32(len(m.values)), outer
		} else {
			i = m.value(i, at)
		}
		if i < 0 {
			return i
		}
		if i = m.w.Space(i); m.w.At(i, ']') {
			return m.w.Leave(i)
		}
		i = m.w.Comma(i)
	}
	return i
}

// keep adds a value to those of its path.
func (m *Matcher) keep(at *step, kind kind, text []byte) {
	n := int32(len(m.values))
	if cap(m.values) > int(n) {
		m.values = m.values[:n+1]
	} else {
		m.values = append(m.values, value{})
	}
	v := &m.values[n]
	v.text, v.step, v.scope, v.next, v.kind, v.read = text, at, m.scope, -1, kind, 0
	if h := &m.heads[at.path-1]; h.round == m.round {
		m.values[h.last].next = n
		h.last = n
	} else {
		*h = head{m.round, n, n}
	}
}

// first is the first value of a path, -1 if there is none.
func (m *Matcher) first(path uint32) int32 {
	if h := &m.heads[path-1]; h.round == m.round {
		return h.first
	}
	return -1
}

// unescaped is what an escaped string means. It is good until the next event.
func (m *Matcher) unescaped(text []byte) []byte {
	from := len(m.escaped)
	m.escaped = jsonwalk.Unescape(m.escaped, text)
	return m.escaped[from:len(m.escaped):len(m.escaped)]
}
