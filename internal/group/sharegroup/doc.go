// Package sharegroup decides for share groups (KIP-932): who is a member and
// which partitions it reads. Several members may read one partition; which
// records each gets is another matter. It is a kind.Kind, and pure.
//
// It is not for records and their locks (package share), for where a group
// stands in a partition (share/store), the bytes of records (group/schema) and
// requests (kafka/shares).
//
// Main types: Kind; Heartbeat with Beat, Describe with Described, and Topics
// with the states of a group, its commands; group and member, its state; edit,
// a change in the making.
//
// Files in reading order: settings.go, commands.go, group.go (apply: the only
// place where durable state changes), kind.go (the table of commands; replay
// and snapshot), edit.go, heartbeat.go, assign.go, states.go (of which
// partitions there are states), describe.go.
//
// A group's epoch rises when its members or topics change; the assignment that
// is made at once has that epoch, and a member takes it over with its next
// heartbeat: nobody has to give anything up first, since records are locked one
// by one.
//
// Invariants: every partition of a topic that somebody subscribed to is
// assigned to a member; every member that subscribed to a topic with partitions
// has one. Epochs never fall while the group is there. Turns write into a clone
// and never into a group. Nothing hangs on the order of a map.
//
// Different from Kafka: members report the more often the fewer there are,
// unless an interval is set; groups are assigned anew at every change.
//
// Sources: KIP-932, KIP-1043 (errors), KIP-1101 (hash of the topics); answers of
// a 4.4 broker.
package sharegroup
