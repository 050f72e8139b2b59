// Package sqlite links the driver of SQLite into a program.
//
// It is not for using it (relay/table). It is by itself because the driver is all of
// SQLite, translated from C: a program or test that does not import this package, as all
// under the race detector, need not compile that.
//
// Main types: none. File: driver.go.
//
// The tag nosqlite leaves it out, for who wants to compile less.
package sqlite
