// Package queues says in words why the messages of a queue are not taken, from what
// a node tells of it (gateway/rest). It asks nobody and prints nothing.
//
// Main types: Note. File: verdict.go.
package queues
