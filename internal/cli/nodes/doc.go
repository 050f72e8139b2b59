// Package nodes reads a cluster as its operator needs it: which nodes there
// are, what they are to it, how far each one's replicas are behind in records
// and in time, which partitions lack replicas and why, and what one partition's
// state comes from. It prints nothing and changes nothing.
//
// Facts are gathered once through Kafka's public requests (facts.go, ends.go);
// what they mean is decided by functions of them, which are tested with made-up
// facts.
//
// Reading order: facts.go, dirs.go (what nodes hold), ends.go (where each replica's log ends, and how old
// what it lacks is), lacking.go (partitions that lack replicas, and why),
// story.go (one partition), history.go (what became of it, as the controller
// keeps it), losses.go (partitions whose leaders may lack records).
package nodes
