// Package table reads outbox tables of Postgres and SQLite, and deletes or marks their
// rows.
//
// It is not for what becomes of rows (package relay). Both drivers are pure Go; that
// of SQLite is there where package sqlite below is linked.
//
// Main types: Spec, what a user says of a table; Table.
//
// Files in reading order: spec.go (what is said, and what columns are for), table.go
// (reading, deleting, marking), value.go (what a database gives becomes text), postgres.go
// and sqlite.go (what differs: how it is reached, what is checked before anything is
// read, how rows are found by many ids), create.go (a table is made, and a row put).
//
// Invariants: a table is refused at its opening when rows could be lost by it: ids that
// are not unique or may come again, columns that are not there, rights that are missing.
// A Table has one connection.
package table
