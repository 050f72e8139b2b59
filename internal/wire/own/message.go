package own

import "ottla/internal/wire/field"

// message is what every request and response has: a version, 0 so far.
type message struct{ version int16 }

// SetVersion sets the version that the message is encoded in.
func (m *message) SetVersion(version int16) { m.version = version }

// GetVersion is the version that was set.
func (m *message) GetVersion() int16 { return m.version }

// MaxVersion is the highest version there is.
func (m *message) MaxVersion() int16 { return 0 }

// IsFlexible tells that compact encodings and tagged fields are used.
func (m *message) IsFlexible() bool { return true }

// read decodes body with fields and asks that nothing is left over but the
// tagged fields at the end.
func read(body []byte, fields func(*reader)) error {
	r := &reader{field.Reader{Rest: body}}
	fields(r)
	r.tags()
	r.end()
	return r.Err
}
