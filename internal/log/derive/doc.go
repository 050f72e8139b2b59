// Package derive makes again what can be made again from the batches of a
// segment: its sparse indexes, and what its producers and their transactions
// came to.
//
// It is not for judging batches (walk.Order does) nor for deciding whose word
// counts where a file and the batches differ: index files count only where they
// agree with the batches they point to.
//
// Files: indexes.go, replay.go. The caller owns the file and the state that it
// gives; nothing is kept.
package derive
