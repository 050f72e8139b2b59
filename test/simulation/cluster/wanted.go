package cluster

// Wanted are the faults and the turns of events that a long run must have met, by
// the names under which they are counted. What is rarer than once in some twenty
// seeds is not among them: it would fail a run by chance.
var Wanted = []string{
	"message lost", "message doubled", "message much delayed", "message cut off",
	"network: split", "network: isolation", "network: one way", "network: bridge", "network: flapping", "network: clients cut off", "slow link",
	"power cut", "power cut of all", "power cut in the middle of an operation", "kill", "clean stop", "retirement", "retirement granted", "pause", "clock jump",
	"disk filled", "disk: disk full", "slow disk", "disk lost", "gave up",
	"operation failed: write", "operation failed: sync", "operation failed: create", "operation failed: rename",
	"disk: crash lost pages", "disk: crash kept unsynced pages", "disk: crash lost names", "disk: crash kept unsynced names",
	"disk: crash left garbage behind the synced end", "disk: crash kept a size without its bytes", "disk: crash kept a later name and lost an earlier one",
	"disk: write cut short", "disk: sync failed",
	"broker: fence", "broker: unfence", "broker: shut down", "probe failed", "quorum handed on", "taken into the quorum", "vote: demote", "vote: promote",
	"ISR: NONE", "reassignment", "preferred leaders elected", "leaders rebalanced", "replica truncates", "replica starts over", "directories told",
	"topic created", "topic deleted", "partitions added", "settings changed", "records deleted",
	"batch acknowledged", "records read", "effects, each once", "transaction committed", "transaction aborted",
	"another instance takes over", "fenced instance ends", "marker tried again", "coordinator in doubt",
	"transaction given up: PRODUCER_FENCED",
	"bit flipped", "bit flipped while the node was down", "damage found", "damage found by a scrub", "damage mended", "end in doubt", "end told", "doubted end trusted",
	"replica in doubt gives way",
	"damage said to a follower", "damage said to a reader", "all copies damaged", "damage of all copies said",
	"partition owned", "member left", "member vanished", "offset committed by a member", "heartbeat: REBALANCE_IN_PROGRESS", "report: NONE",
	"log compacted", "records compacted away",
	"guest joins", "guest had replicas", "guest has left",
}
