// Package nearest proposes which of the names that there are somebody meant who wrote
// another: one that is a slip of the hand away. It is pure.
//
// It is not for what is proposed when: who refuses a name knows which others there are.
//
// Of is all of it; nearest.go has how far a slip goes.
package nearest
