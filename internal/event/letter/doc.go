// Package letter is dead letters as everybody reads them, whichever group gave
// their records up: what a letter says of its record, and conditions by which
// letters are chosen.
//
// It is not for where letters lie, nor for putting them back (event/queue for
// queues, cli/dlq for other share groups).
//
// Main types: Letter, Filter.
//
// Files in reading order: letter.go, where.go (conditions), body.go (values inside
// a JSON body).
//
// Invariants: whatever bytes a record has, it can be read and judged; what it does
// not say is unknown, and no condition but != takes what is unknown.
//
// Sources: KIP-1191.
package letter
