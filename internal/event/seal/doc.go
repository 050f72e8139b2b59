// Package seal keeps secrets of users closed (AES-256-GCM) under a key of the cluster:
// what connections know is not readable in definitions, in their dumps, or in answers.
//
// It is not for passwords that need only be compared, nor for receipts (event/queue).
//
// Main type: Box. File: seal.go.
//
// # What it protects, and what not
//
// The key is an object like others (name.System "secrets"), drawn when it is first
// needed. So a sealed text that was copied, logged or shown tells nothing; but who can
// read the whole topic of objects, or a node's disk, has the key as well. Disks are to be
// encrypted, and the topic is not to be read by others.
//
// A sealed text belongs to what it is about: moved to another object it does not open.
//
// Concurrency: a Box may be used from any goroutine; Box.mu guards the key.
package seal
