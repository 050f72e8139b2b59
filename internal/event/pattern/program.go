package pattern

import (
	"encoding/binary"
	"math"
	"slices"
)

// A program is one alternative of a pattern as a Set keeps it: a string without
// pointers, a hundred bytes or so, read from front to back.
//
//	field   = path number, size of its tests, tests
//	program = fields in the order of their paths
//	test    = op, size of its payload, payload
//
// Sizes and numbers are varints.

// numbered is a field with the number that a Set gave its path.
type numbered struct {
	path  uint32
	tests string
}

func appendProgram(out []byte, fields []numbered) []byte {
	for _, f := range fields {
		out = appendSize(out, int(f.path))
		out = append(appendSize(out, len(f.tests)), f.tests...)
	}
	return out
}

func appendTests(out []byte, tests []test) []byte {
	for _, t := range tests {
		out = append(out, byte(t.op))
		if t.op == opNot {
			out = appendSize(out, testsSize(t.any))
			out = appendTests(out, t.any)
			continue
		}
		out = appendSize(out, len(t.payload))
		out = append(out, t.payload...)
	}
	return out
}

// testsSize is how many bytes appendTests adds.
func testsSize(tests []test) (n int) {
	for _, t := range tests {
		size := len(t.payload)
		if t.op == opNot {
			size = testsSize(t.any)
		}
		n += 1 + sizeSize(size) + size
	}
	return n
}

func appendSize(out []byte, n int) []byte { return binary.AppendUvarint(out, uint64(n)) }

func sizeSize(n int) int {
	size := 1
	for ; n >= 0x80; n >>= 7 {
		size++
	}
	return size
}

// readSize reads a varint of a program.
func readSize(p string, at int) (n, next int) {
	if c := p[at]; c < 0x80 {
		return int(c), at + 1
	}
	for shift := 0; ; shift += 7 {
		c := p[at]
		at++
		n |= int(c&0x7f) << shift
		if c < 0x80 {
			return n, at
		}
	}
}

func numberPayload(f float64) string { return string(appendNumber(nil, f)) }

func appendNumber(out []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(out, math.Float64bits(f+0)) // + 0 makes one zero of two
}

func readNumber(p string) float64 {
	_ = p[7]
	return math.Float64frombits(uint64(p[0]) | uint64(p[1])<<8 | uint64(p[2])<<16 | uint64(p[3])<<24 |
		uint64(p[4])<<32 | uint64(p[5])<<40 | uint64(p[6])<<48 | uint64(p[7])<<56)
}

const (
	openBottom = 1
	openTop    = 2
)

func rangePayload(bottomOpen bool, bottom float64, topOpen bool, top float64) string {
	flags := byte(0)
	if bottomOpen {
		flags |= openBottom
	}
	if topOpen {
		flags |= openTop
	}
	return string(appendNumber(appendNumber([]byte{flags}, bottom), top))
}

func inRange(f float64, p string) bool {
	low, high := readNumber(p[1:]), readNumber(p[9:])
	return f >= low && f <= high && (p[0]&openBottom == 0 || f != low) && (p[0]&openTop == 0 || f != high)
}

func addressPayload(a address, bits int) string {
	return string(slices.Concat([]byte{a.size, byte(bits)}, a.bytes[:a.size]))
}

func inNetwork(a *address, p string) bool {
	bits, net := int(p[1]), p[2:]
	if a.size != p[0] {
		return false
	}
	whole := bits / 8
	if string(a.bytes[:whole]) != net[:whole] {
		return false
	}
	return bits%8 == 0 || (a.bytes[whole]^net[whole])>>(8-bits%8) == 0
}
