// Package balance plans where the replicas of a cluster shall lie: all of a
// node's somewhere else (Drain), one node's at another (Replace), a topic's on more
// of them (Widen), or everything spread evenly by racks, bytes and leaders (Even).
//
// It decides and does nothing: what a cluster holds comes in as a Cluster, what
// shall change goes out as a Plan, and the command that asked carries it out
// through Kafka's AlterPartitionReassignments and ElectLeaders. A plan is made
// from what is, so one that was stopped half way is simply made again.
//
// Reading order: cluster.go (what comes in), plan.go (what goes out), place.go
// (which node takes a replica), drain.go (Drain, Replace, StepDown), widen.go (Widen),
// even.go (racks and bytes), lead.go (leaders).
//
// Invariants: a plan but Widen's keeps every partition's number of replicas, names only
// nodes that the Cluster says may take some, never one twice, and, unless no
// other node is left for a replica that must go, never puts
// replicas closer together in racks than they were. The same cluster gives the
// same plan, whatever the order of its partitions.
//
// Sources: KIP-455 (reassignment), KIP-36 (racks). Kafka leaves planning to
// tools; where they spread by counts alone, bytes decide here.
package balance
