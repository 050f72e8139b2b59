// Package sockcall reads and writes sockets without telling Go's scheduler.
//
// A socket that the runtime's poller watches never makes a call wait, so the
// scheduler need not know that one is under way. Telling it costs little by itself,
// but it wakes the runtime's monitor thread, which then looks every 20 µs what
// becomes of the call: in a node that answers a thousand small requests a second
// and rests in between, that was a fifth of its CPU time.
//
// It is for sockets of the poller (those of package net) and for small pieces
// alone: while such a call copies, nothing else runs on its processor, and nobody
// can stop it. It is not for files, whose calls wait for the disk, and not for
// sendfile, which reads files.
//
// Functions: Receive, Send (one call each, for those who have the descriptor in
// hand), Wrap (a net.Conn that uses them).
//
// Files: sockcall.go, call_linux.go, call_unix.go (the usual calls: elsewhere, and
// under the race detector), call_other.go, conn.go.
//
// A Conn may be read by one goroutine and written by another, as any net.Conn of
// one reader and one writer.
package sockcall
