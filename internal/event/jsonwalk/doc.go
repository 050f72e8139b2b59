// Package jsonwalk walks the bytes of JSON and checks their grammar, without a copy
// and without making anything of what is not asked for. Patterns, envelopes and
// transforms stand on it. It is pure.
//
// It is not for filling structs: encoding/json does that.
//
// Main type: Walker, whose methods take a place in the text and give the next one, a
// negative number once something is wrong. Files in reading order: walk.go, text.go
// (strings, escapes, numbers), find.go (members and elements of a value).
//
// Invariants: no method reads beyond the text, allocates, or nests deeper than
// MaxDepth.
//
// Source: RFC 8259.
package jsonwalk
