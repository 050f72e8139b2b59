package shape

import (
	_ "embed"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
)

//go:embed shapes.txt
var shapesText string

// kind is a primitive of the protocol, or a struct.
type kind uint8

const (
	kindStruct kind = iota
	kindBool
	kindInt8
	kindInt16
	kindUint16
	kindInt32
	kindUint32
	kindInt64
	kindFloat64
	kindUUID
	kindString
	kindBytes // bytes and records
)

// kindNames maps the names of shapes.txt.
var kindNames = map[string]kind{
	"struct": kindStruct, "bool": kindBool, "int8": kindInt8, "int16": kindInt16,
	"uint16": kindUint16, "int32": kindInt32, "uint32": kindUint32, "int64": kindInt64,
	"float64": kindFloat64, "uuid": kindUUID, "string": kindString,
	"bytes": kindBytes, "records": kindBytes,
}

// wireSize is the fixed size of a primitive on the wire, 0 for those that
// carry a length.
var wireSize = [...]int{
	kindBool: 1, kindInt8: 1, kindInt16: 2, kindUint16: 2, kindInt32: 4,
	kindUint32: 4, kindInt64: 8, kindFloat64: 8, kindUUID: 16, kindString: 0, kindBytes: 0,
}

// span is a range of versions.
type span struct{ first, last int16 }

func (s span) has(v int16) bool { return v >= s.first && v <= s.last }

// field is a line of shapes.txt.
type field struct {
	name     string
	kind     kind
	array    bool
	nullFrom int16 // first version in which null is allowed; math.MaxInt16 never
	versions span
	tag      int // -1: not a tagged field
	fields   []field
}

// request is an API's block.
type request struct {
	name     string
	versions span
	fields   []field
}

// requests parses the table once. A table that does not parse is our own
// mistake and found by every test, hence the panic.
var requests = sync.OnceValue(func() map[int16]*request {
	all, err := parseShapes(shapesText)
	if err != nil {
		panic(err)
	}
	return all
})

// parseShapes reads the notation that the head of shapes.txt explains.
func parseShapes(text string) (map[int16]*request, error) {
	all := map[int16]*request{}
	var cur *request
	var open []*[]field // the lists that lines are added to, innermost last
	for n, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		var err error
		switch {
		case len(words) == 0 || strings.HasPrefix(words[0], "#"):
			continue
		case words[0] == "}":
			if len(open) < 2 {
				return nil, fmt.Errorf("shapes line %d: closes nothing", n+1)
			}
			open = open[:len(open)-1]
		case line[0] != ' ':
			var key int16
			if key, cur, err = parseRequest(words); err == nil {
				all[key] = cur
				open = []*[]field{&cur.fields}
			}
		case cur == nil:
			err = errors.New("a field outside a request")
		default:
			var f field
			var opens bool
			if f, opens, err = parseField(words); err == nil {
				list := open[len(open)-1]
				*list = append(*list, f)
				if opens {
					open = append(open, &(*list)[len(*list)-1].fields)
				}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("shapes line %d: %w", n+1, err)
		}
	}
	return all, nil
}

// parseRequest reads KEY NAME MIN-MAX.
func parseRequest(words []string) (int16, *request, error) {
	if len(words) != 3 {
		return 0, nil, fmt.Errorf("want KEY NAME VERSIONS, got %q", words)
	}
	key, err := strconv.ParseInt(words[0], 10, 16)
	if err != nil {
		return 0, nil, fmt.Errorf("key: %w", err)
	}
	versions, err := parseSpan(words[2])
	return int16(key), &request{name: words[1], versions: versions}, err
}

// parseField reads [tag N] NAME TYPE[?[N+]] [VERSIONS] [{].
func parseField(words []string) (f field, opens bool, err error) {
	f.tag, f.versions, f.nullFrom = -1, span{0, math.MaxInt16}, math.MaxInt16
	if words[0] == "tag" && len(words) > 2 {
		if f.tag, err = strconv.Atoi(words[1]); err != nil {
			return f, false, fmt.Errorf("tag: %w", err)
		}
		words = words[2:]
	}
	if words[len(words)-1] == "{" {
		opens, words = true, words[:len(words)-1]
	}
	if len(words) < 2 || len(words) > 3 {
		return f, false, fmt.Errorf("want NAME TYPE [VERSIONS], got %q", words)
	}
	f.name = words[0]
	typ, null, nullable := strings.Cut(words[1], "?")
	if nullable {
		f.nullFrom = 0
		if null != "" {
			since, err := parseSpan(null)
			if err != nil {
				return f, false, err
			}
			f.nullFrom = since.first
		}
	}
	typ, f.array = strings.CutPrefix(typ, "[]")
	var known bool
	if f.kind, known = kindNames[typ]; !known || opens != (f.kind == kindStruct) {
		return f, false, fmt.Errorf("type %q does not fit", words[1])
	}
	if len(words) == 3 {
		f.versions, err = parseSpan(words[2])
	}
	return f, opens, err
}

// parseSpan reads N, N+, -N or N-M.
func parseSpan(s string) (span, error) {
	if first, ok := strings.CutSuffix(s, "+"); ok {
		n, err := strconv.ParseInt(first, 10, 16)
		return span{int16(n), math.MaxInt16}, err
	}
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		last = first
	}
	if first == "" {
		first = "0"
	}
	a, err := strconv.ParseInt(first, 10, 16)
	if err != nil {
		return span{}, fmt.Errorf("versions %q: %w", s, err)
	}
	b, err := strconv.ParseInt(last, 10, 16)
	if err != nil {
		return span{}, fmt.Errorf("versions %q: %w", s, err)
	}
	return span{int16(a), int16(b)}, nil
}
