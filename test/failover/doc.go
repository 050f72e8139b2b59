// Package failover tests that coordinators of every type go on at another node:
// the runtimes of two nodes over one log, whose leadership moves, with the old
// leader alive, dead or not told yet, and with what it had not committed lost.
//
// It is tests alone. Files in reading order: rig_test.go (the log, the nodes,
// their clock), then one a type of coordinator; cluster_test.go has three whole
// nodes, whose coordinators and partitions must reach each other.
//
// What they ask of each type: what was answered is there at the new
// coordinator; what was not may be gone, whole; the old one answers
// NOT_COORDINATOR, also before it is told; members have their time anew, and
// those who stay away lose their place; decided transactions are completed with
// the new coordinator's epoch.
package failover
