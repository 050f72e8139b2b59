// Package txns reads transactions as people need them: whose they are, how long
// they have been open, which partitions they hold back and what will end them;
// and it finds and ends those that no coordinator knows of. It prints nothing.
//
// Reading order: read.go (what coordinators and leaders say), verdict.go (the
// story of one), hanging.go (transactions without a coordinator, KIP-664),
// abort.go (ending them).
package txns
