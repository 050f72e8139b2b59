package schema

import "fmt"

// Subscription is what members of protocol type "consumer" send as metadata
// (ConsumerProtocolSubscription, versions 0 to 3).
type Subscription struct {
	Version  int16
	Topics   []string
	UserData []byte
	// Owned is what the member still has (v1, KIP-429); Generation since when
	// (v2), -1 when not said; Rack where it is (v3, KIP-881).
	Owned      []NamedPartitions
	Generation int32
	Rack       *string
}

// MemberAssignment is what a leader gives a consumer
// (ConsumerProtocolAssignment, versions 0 to 3).
type MemberAssignment struct {
	Version  int16
	Parts    []NamedPartitions
	UserData []byte
}

// NamedPartitions are partitions of a topic that is told by its name.
type NamedPartitions struct {
	Topic      string
	Partitions []int32
}

// newestProtocol is the newest version of both.
const newestProtocol = 3

// ParseSubscription reads the topics out of a consumer's subscription. All its
// versions begin alike: a version, then the topics.
func ParseSubscription(b []byte) ([]string, error) {
	r := read(b)
	if version := r.Int16(); r.Err == nil && version < 0 {
		return nil, fmt.Errorf("subscription of version %d", version)
	}
	topics := r.names()
	if r.Err != nil {
		return nil, fmt.Errorf("subscription of %d bytes: %w", len(b), r.Err)
	}
	return topics, nil
}

// ParseWholeSubscription reads a consumer's subscription; what a later version
// has more is passed over.
func ParseWholeSubscription(b []byte) (Subscription, error) {
	r := read(b)
	s := Subscription{Version: r.Int16(), Generation: -1}
	if r.Err == nil && s.Version < 0 {
		return s, fmt.Errorf("subscription of version %d", s.Version)
	}
	s.Topics = r.names()
	s.UserData = r.maybeBytes()
	if s.Version >= 1 {
		s.Owned = r.named()
	}
	if s.Version >= 2 {
		s.Generation = r.Int32()
	}
	if s.Version >= 3 {
		s.Rack = r.MaybeText(false)
	}
	s.Version = min(s.Version, newestProtocol)
	if r.Err != nil {
		return s, fmt.Errorf("subscription of %d bytes: %w", len(b), r.Err)
	}
	return s, nil
}

// ParseAssignment reads what a leader gave a consumer.
func ParseAssignment(b []byte) (MemberAssignment, error) {
	r := read(b)
	a := MemberAssignment{Version: r.Int16()}
	if r.Err == nil && a.Version < 0 {
		return a, fmt.Errorf("assignment of version %d", a.Version)
	}
	a.Parts = r.named()
	a.UserData = r.maybeBytes()
	if r.Err != nil {
		return a, fmt.Errorf("assignment of %d bytes: %w", len(b), r.Err)
	}
	return a, nil
}

// AppendAssignment writes what a consumer shall have, in a version that it
// understands; all of them have the same fields.
func AppendAssignment(b []byte, version int16, parts []NamedPartitions) []byte {
	b = appendInt32(appendInt16(b, version), int32(len(parts)))
	for i := range parts {
		b = appendText(b, parts[i].Topic)
		b = appendInt32(b, int32(len(parts[i].Partitions)))
		for _, p := range parts[i].Partitions {
			b = appendInt32(b, p)
		}
	}
	return appendInt32(b, -1) // no user data
}

// names reads an array of texts in the old form.
func (r *reader) names() []string {
	n := r.Count(false, 2)
	out := make([]string, 0, n)
	for range n {
		out = append(out, r.Text(false))
	}
	return out
}

// named reads an array of partitions by topic in the old form.
func (r *reader) named() []NamedPartitions {
	n := r.Count(false, 2+4)
	var out []NamedPartitions
	for range n {
		p := NamedPartitions{Topic: r.Text(false)}
		for range r.Count(false, 4) {
			p.Partitions = append(p.Partitions, r.Int32())
		}
		out = append(out, p)
	}
	return out
}

// maybeBytes reads bytes that may be null.
func (r *reader) maybeBytes() []byte {
	n := r.Length(false, true)
	if r.Err != nil || n == -1 {
		return nil
	}
	return append([]byte(nil), r.Take(n)...)
}
