package notice

import (
	"slices"
	"strings"
	"unicode/utf8"

	"ottla/internal/event/envelope"
	"ottla/internal/event/plan"
	"ottla/internal/kafka/queues"
)

// Headers of a message, beside those that messages of queues have too.
const (
	headerID      = "ottla.sns.id"
	headerSubject = "ottla.sns.subject"
	headerBody    = "ottla.sns.body." // and a protocol: the body for that
)

// deadPrefix begins the names of headers that say of a dead letter why it is one
// (KIP-1191).
const deadPrefix = "__dlq."

// Message is a message of a topic. Its body is the record's value, its group the
// record's key; the rest are headers, attributes as those of a queue's messages.
type Message struct {
	ID, Subject string
	Body        []byte
	// Bodies are what protocols get in place of Body, by protocol.
	Bodies []Body
	// Attributes are sorted by name.
	Attributes     []plan.Attribute
	Group, DedupID string
}

// Body is what a protocol gets.
type Body struct{ Protocol, Text string }

// For is what a protocol gets.
func (m *Message) For(protocol string) []byte {
	for i := range m.Bodies {
		if m.Bodies[i].Protocol == protocol {
			return []byte(m.Bodies[i].Text)
		}
	}
	return m.Body
}

// Size is what SNS counts of a message: its body, and the names, types and values of
// its attributes.
func (m *Message) Size() int {
	n := len(m.Body)
	for i := range m.Attributes {
		a := &m.Attributes[i]
		n += len(a.Name) + len(a.Type) + len(a.Value)
	}
	return n
}

// Taken tells whether an attribute cannot be called so: the name is that of a
// header of ours.
func Taken(attribute string) bool {
	return attribute == "" || strings.HasPrefix(attribute, queues.HeaderPrefix) || strings.HasPrefix(attribute, deadPrefix)
}

// Headers are those of the message's record.
func (m *Message) Headers() []envelope.Header {
	var out []envelope.Header
	add := func(name, value string) {
		if value != "" {
			out = append(out, envelope.Header{Name: name, Value: []byte(value)})
		}
	}
	for i := range m.Attributes {
		a := &m.Attributes[i]
		out = append(out, envelope.Header{Name: a.Name, Value: a.Value})
		if a.Type != "String" {
			add(queues.HeaderType+a.Name, a.Type)
		}
	}
	add(queues.HeaderDedup, m.DedupID)
	add(headerID, m.ID)
	add(headerSubject, m.Subject)
	for _, b := range m.Bodies {
		out = append(out, envelope.Header{Name: headerBody + b.Protocol, Value: []byte(b.Text)})
	}
	return out
}

// Read takes a record as a message. One that somebody else wrote has no ID. The
// bytes are the record's.
func Read(r *plan.Raw) Message {
	m := Message{Body: r.Value, Group: string(r.Key)}
	types := map[string]string{}
	for i := range r.Headers {
		h := &r.Headers[i]
		switch {
		case h.Name == headerID:
			m.ID = string(h.Value)
		case h.Name == headerSubject:
			m.Subject = strings.ToValidUTF8(string(h.Value), "\uFFFD")
		case h.Name == queues.HeaderDedup:
			m.DedupID = string(h.Value)
		case strings.HasPrefix(h.Name, headerBody):
			m.Bodies = append(m.Bodies, Body{strings.TrimPrefix(h.Name, headerBody), string(h.Value)})
		case strings.HasPrefix(h.Name, queues.HeaderType):
			types[strings.TrimPrefix(h.Name, queues.HeaderType)] = string(h.Value)
		case Taken(h.Name) || !utf8.ValidString(h.Name):
		default:
			m.Attributes = append(m.Attributes, plan.Attribute{Name: h.Name, Value: h.Value})
		}
	}
	m.Attributes = typed(m.Attributes, types)
	return m
}

// typed gives attributes their types and an order; of those of one name the last
// counts.
func typed(all []plan.Attribute, types map[string]string) []plan.Attribute {
	slices.SortStableFunc(all, func(a, b plan.Attribute) int { return strings.Compare(a.Name, b.Name) })
	out := all[:0]
	for i, a := range all {
		if i+1 < len(all) && all[i+1].Name == a.Name {
			continue
		}
		switch a.Type = types[a.Name]; {
		case a.Type != "" && utf8.ValidString(a.Type) && (isBinary(a.Type) || utf8.Valid(a.Value)):
		case utf8.Valid(a.Value):
			a.Type = "String"
		default:
			a.Type = "Binary"
		}
		out = append(out, a)
	}
	return out
}

// isBinary tells a type whose values are bytes; Binary may have a label.
func isBinary(dataType string) bool {
	base, _, _ := strings.Cut(dataType, ".")
	return base == "Binary"
}
