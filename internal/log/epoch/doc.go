// Package epoch is the leader-epoch cache of one log (KIP-101, KIP-279): which
// epoch began at which offset.
//
// It is memory only; package log writes it to leader-epoch-checkpoint and
// rebuilds it from batch headers. A Cache has a lock of its own, a leaf: no
// method calls out. Entries rise in both fields.
//
// Files: cache.go.
package epoch
