// Package sharer is a member of a share group (KIP-932) that speaks the protocol
// request by request, so that whoever judges knows when each was sent and
// answered, which records came in which answer, and what was said of them. It can
// be ended as a killed process ends.
//
// It is not for applications, and it waits for nothing by itself: a failed request
// is its caller's to make again.
//
// Main types: Member; Batch (an answer with its records), Record.
//
// Files in reading order: member.go (sessions and requests), wires.go
// (connections that can be cut), decode.go (records out of an answer).
//
// A Member is used by one goroutine at a time. It keeps a share session at every
// broker that leads something of what it was assigned, and asks them in turn.
package sharer
