// Package function calls functions: names that a file on the server declares, each an
// HTTP address or a program of this machine. They are what targets function:NAME and
// Lambda's ARNs stand for.
//
// It is not for when they are called, nor for the shape of events (event/delivery).
// Nothing that runs a program can be declared over the network: the file is read when a
// node starts, and who can write it can run programs there anyway.
//
// Main types: Function, Service.
//
// Files in reading order: file.go (what the file says), service.go, process.go (a
// program for each event), kept.go (a program for many).
//
// # Rules
//
//   - An address gets the event by POST. 2xx is success, unless the header
//     X-Amz-Function-Error says otherwise, as Lambda's.
//   - A program gets the event on its standard input, which ends then. It has taken it
//     when it ends with status 0; what it wrote to its standard output is the answer.
//   - A program that is kept (keep: true) gets each event as one line, and answers each
//     with one line of JSON: an object with errorMessage is a failure. Its standard
//     error is not read. One that ends, is too late or writes too much is ended, and
//     another started for the next event.
//   - A program has of this server's environment PATH, HOME and TMPDIR, and what the
//     file says.
//
// # Locks
//
// A Function's seats bound its calls; kept processes are handed from call to call by a
// channel, so one call has one at a time.
package function
