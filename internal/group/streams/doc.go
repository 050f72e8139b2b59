// Package streams decides for streams groups (KIP-1071): which tasks an
// application's topology has over the topics that there are, who runs which,
// who stands by, and how they get there without a task running twice. It is a
// kind.Kind, and pure.
//
// It is not for committed offsets (package group), the bytes of records
// (group/schema), requests (kafka/groups), nor for making internal topics:
// Settings.Create does, beside the machine.
//
// Main types: Kind; Heartbeat with Beat and Describe with Described, its
// commands; group and member, its state; plan, a topology over topics; edit, a
// change in the making.
//
// Files in reading order: settings.go, commands.go, tasks.go (sets of tasks),
// member.go, group.go (apply: the only place where durable state changes),
// kind.go (the table of commands; replay and snapshot), topology.go (partition
// counts), edit.go, valid.go, heartbeat.go (the way of a heartbeat), find.go
// (whose it is), target.go (epochs and targets), assign.go (sharing out),
// reconcile.go (a member's way to its target), leave.go, endpoints.go,
// offsets.go, describe.go.
//
// Epochs are those of group/consumer: the group's rises when members, topics,
// topology or settings change; the target's is the group's for which it was
// made; a member's is the target's that it has confirmed.
//
// Invariants: a task is active at one member (group.owners) from when it was
// given until that one gave it up or is out. No process has a task twice, in
// whatever roles. Epochs never fall while the group is there. Turns write into a
// clone, and change soft state when they are accepted. Nothing hangs on the
// order of a map.
//
// What it does not do: warm-up tasks, nor does Kafka 4.4, whatever a group's
// settings say. A task that moves goes at once, and its state is restored where
// it goes to.
//
// Sources: KIP-1071 (the protocol), KIP-1251 (epochs of assigned tasks),
// KIP-1263 (times of targets), KIP-1331 (descriptions of topologies, for which
// a broker needs a plug-in); answers of a 4.4 broker.
package streams
