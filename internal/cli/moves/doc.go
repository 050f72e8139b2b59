// Package moves carries out a plan of package balance, a few partitions at a
// time: it begins moves, waits until the cluster says that they are over, tells
// of each, and has the preferred leaders elected at the end. When its context
// ends it begins nothing more and says what is left; a plan that is made anew
// then holds exactly that.
//
// Reading order: moves.go (Run), kafka.go (the cluster through Kafka's requests).
package moves
