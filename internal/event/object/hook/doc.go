// Package hook lets tests do something in the middle of what services of the event layer
// do with objects: before one is written or goes, which may fail as where a node is
// killed, and after one was written.
//
// It is not for anything but tests; internal/event/object is the real thing, and what is
// under it here.
//
// Main type: Objects. File: hook.go. Main functions: Once, Then, CutAfter.
//
// Nothing is locked: a test has one service at a time go through one Objects.
package hook
