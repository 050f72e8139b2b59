package shape

import (
	"sync"

	"ottla/internal/wire"
)

// program is a request's shape at one version: only what is there, with the
// sizes that bounds need worked out.
type program struct {
	flexible bool
	top      *layout
}

// layout is a struct at one version.
type layout struct {
	fields  []step
	tagged  []step
	minWire int // fewest bytes it takes on the wire, at least 1
	memory  int // what the decoded struct takes, without what it points to
}

// step is a field at one version.
type step struct {
	name     string
	kind     kind
	array    bool
	nullable bool
	tag      int
	sub      *layout // of a struct
	minWire  int     // of one element, at least 1
	memory   int     // of one element
}

// memory of the fields of a decoded struct; strings that may be null are
// pointers to a string header of their own.
var memorySize = [...]int{
	kindBool: 1, kindInt8: 1, kindInt16: 2, kindUint16: 2, kindInt32: 4,
	kindUint32: 4, kindInt64: 8, kindFloat64: 8, kindUUID: 16, kindString: 24, kindBytes: 24,
}

const (
	sliceMemory = 24
	tagsMemory  = 8 // the map of unknown tags that every decoded struct has
)

type programKey struct{ key, version int16 }

// programs keeps what was compiled; it holds at most one entry for each
// version of each API.
var programs sync.Map // programKey -> *program

// programFor compiles on first use. It is nil for a version that has no shape.
func programFor(key, version int16) *program {
	id := programKey{key, version}
	if p, ok := programs.Load(id); ok {
		return p.(*program)
	}
	r := requests()[key]
	if r == nil || !r.versions.has(version) {
		return nil
	}
	flexible := wire.LookupAPI(key).IsFlexible(version)
	p := &program{flexible: flexible, top: compile(r.fields, version, flexible)}
	programs.Store(id, p)
	return p
}

// compile lays out the fields that exist in version.
func compile(fields []field, version int16, flexible bool) *layout {
	l := &layout{memory: tagsMemory}
	for i := range fields {
		f := &fields[i]
		l.memory += fieldMemory(f) // the decoded struct has all versions' fields
		// The codec knows tags whatever the version, so they are walked in all.
		if f.tag < 0 && !f.versions.has(version) {
			continue
		}
		s := step{name: f.name, kind: f.kind, array: f.array, nullable: version >= f.nullFrom, tag: f.tag}
		s.minWire, s.memory = elementSizes(f, &s, version, flexible)
		if f.tag >= 0 {
			l.tagged = append(l.tagged, s)
			continue
		}
		l.fields = append(l.fields, s)
		l.minWire += stepWire(&s, flexible)
	}
	if flexible {
		l.minWire++ // the count of tags
	}
	l.minWire = max(l.minWire, 1)
	l.memory = (l.memory + 7) &^ 7
	return l
}

// elementSizes works out what one element of f takes, compiling its struct.
func elementSizes(f *field, s *step, version int16, flexible bool) (minWire, memory int) {
	if f.kind == kindStruct {
		s.sub = compile(f.fields, version, flexible)
		return s.sub.minWire, s.sub.memory
	}
	return max(wireSize[f.kind], lengthWire(f.kind, flexible)), memorySize[f.kind]
}

// lengthWire is what the length of an empty string or bytes takes.
func lengthWire(k kind, flexible bool) int {
	switch {
	case k != kindString && k != kindBytes:
		return 0
	case flexible:
		return 1
	case k == kindString:
		return 2
	}
	return 4
}

// stepWire is the fewest bytes of a field: an array may be empty, a struct
// null.
func stepWire(s *step, flexible bool) int {
	switch {
	case s.array && flexible:
		return 1
	case s.array:
		return 4
	case s.kind == kindStruct && s.nullable:
		return 1
	}
	return s.minWire
}

// fieldMemory is what a field takes inside the struct that holds it.
func fieldMemory(f *field) int {
	switch {
	case f.array:
		return sliceMemory
	case f.kind == kindStruct:
		total := tagsMemory
		for i := range f.fields {
			total += fieldMemory(&f.fields[i])
		}
		return total
	}
	return memorySize[f.kind]
}
