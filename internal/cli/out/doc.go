// Package out prints what commands found: a table for people, and the same
// rows as JSON, NDJSON, YAML, CSV, names or through a template for programs.
//
// A Table is built once by a command; its columns name the JSON fields, which
// are an API: they are added to, never renamed (golden tests hold them).
// Reading order: out.go (the table), format.go (one function a format).
package out
