// Package consumer decides for consumer groups, the kind whose partitions are
// assigned by the server (KIP-848): who is a member, what each shall have, and
// how it gets there without anybody having a partition twice. It is a
// kind.Kind, and pure.
//
// It is not for committed offsets (package group), how partitions are shared
// out (group/assign), the bytes of records (group/schema) and requests
// (kafka/groups).
//
// Main types: Kind; Heartbeat with Beat and Describe with Described, its
// commands; group and member, its state; edit, a change in the making.
//
// Files in reading order: settings.go, commands.go, slots.go (sets of
// partitions), member.go, group.go (apply: the only place where durable state
// changes), kind.go (the table of commands; replay and snapshot), edit.go,
// heartbeat.go (the way of a heartbeat), valid.go, find.go (whose it is),
// regex.go, target.go (epochs and targets), reconcile.go (a member's way to its
// target), leave.go, offsets.go, describe.go, convert.go and classic.go (classic
// groups that become consumer groups, those that become classic, and classic
// members in between).
//
// Three epochs: the group's rises when members or topics change; the target's
// is the group's for which it was made; a member's is the target's that it has
// confirmed. A member gives up first what it shall not have, at the epoch it is
// at; a heartbeat without those partitions confirms it, or its rebalance
// timeout ends; then it goes to the target's epoch with all that nobody else
// has, and waits for the rest.
//
// Invariants: a partition has one owner (group.owners) from when it was given
// until the owner gave it up or is out. Epochs never fall while the group is
// there. Turns write into a clone and never into a group. Nothing hangs on the
// order of a map.
//
// Two intervals differ from Kafka's unless they are set: members report the
// more often the fewer the node has (Settings.Pace), and small groups are
// assigned anew at once (assignEvery), so that the first answer has partitions.
//
// Sources: KIP-848, KIP-1043 (errors), KIP-1101 (hash of the topics), KIP-1251
// (assignment epochs), KIP-1263 (assignment interval); answers of a 4.4 broker.
package consumer
