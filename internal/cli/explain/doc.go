// Package explain says what a Kafka error code or a setting means: the code's
// own text and whether clients retry come from package wire, a setting's type,
// default and reach from package config's registry, and what usually causes an
// error and mends it from the table in causes.go. It asks no server; what a
// setting's value is on one is the command's to add.
//
// Reading order: explain.go (finding what a word means), causes.go (the table).
package explain
