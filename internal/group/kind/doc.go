// Package kind is the seam between group.Machine and the kinds of group that
// it holds beside classic groups: consumer groups (group/consumer), share
// groups (group/sharegroup), streams groups.
//
// It is not for what the kinds have in common but do not owe to the seam
// (assignors are group/assign, records are group/schema).
//
// Main types: Kind, which is what a kind of group implements; Turn, which is
// what it answers a command with; Host, which is what it may ask of the machine
// around it; Book, which keeps the groups of a kind.
//
// Files in reading order: kind.go, turn.go, book.go.
//
// A kind is a small state machine that holds all groups of its type on one
// partition of __consumer_offsets, under the rules of coordinator.Machine: a
// Step changes nothing, durable state changes in Apply alone, soft state in
// Turn.Then, and nothing hangs on the order of a map. The machine around it
// knows which ids are taken, keeps the committed offsets of every group, and
// lists, describes in short, expires and deletes groups of every kind alike.
//
// To add a kind:
//
//  1. Give its records a place in group/schema (their types are in key.go).
//  2. Write a package beside this one with its commands (their types are its
//     own, so that no two kinds have the same), its replies, and a Kind, which
//     embeds a Book.
//  3. Add it to the kinds of group.Settings.Kinds, where the server makes them.
//
// Invariants: an id has one type. A kind asks Host.TypeOf before it makes a
// group, and refuses what is another's.
//
// Sources: KIP-848 (types of groups), KIP-1043 (what is told of the wrong
// type).
package kind
