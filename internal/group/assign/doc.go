// Package assign is how partitions are shared out among the members of a group
// by the server (KIP-848): the uniform assignor and the range assignor. It is
// pure: the same question has the same answer.
//
// It is not for when partitions change hands (group/consumer) and knows no
// records, names or clocks.
//
// Main types: Spec, which is the question; Assignor, which answers it.
//
// Files in reading order: spec.go, uniform.go (members that all read the same),
// mixed.go (those that do not), range.go.
//
// Invariants, which a test holds for both: every partition that somebody reads
// has exactly one owner, who reads its topic; nobody else has any. Uniform is
// balanced: no partition could move to a member with two partitions fewer, not
// even by way of others. It is sticky: among members that all read the same,
// no more partitions change hands than balance asks for. Where members and
// replicas say where they are, partitions that have to find an owner go to one
// that is near a replica, as far as balance allows.
//
// Range gives each member neighbours of every topic, the same of topics with
// the same number of partitions and the same readers, so that they can be
// joined. Members keep their place in the order.
//
// Sources: KIP-848, KIP-881 (racks).
package assign
