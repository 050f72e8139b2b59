// Package demo is the small shop of `ottla dev --demo`: programs that put events, take
// messages and are called, so that there is something to look at with every command. It
// uses what any program could: the native HTTP doors, and a Kafka consumer group.
//
// It is not for tests of the product, and not a way to configure it: what it needs is
// made anew at each start, and what is so already stays (shop.yaml).
//
// Main types: Options, Demo. Files in reading order: demo.go (a run, from its set-up to
// its end), shop.yaml and setup.go (queues, buses, rules …), storefront.go (who puts
// orders), workers.go (who takes messages), partner.go (who is called), reports.go (who
// reads the log), door.go (calls of nodes), tally.go (what was seen), commands.go (what
// to try), screen.go (where it is written).
//
// Invariants: ids of events are made of the order's number, so that what is done again
// after a crash is the same event. Nothing here keeps state that a restart needs: what
// is so of an order is in the topic order-states.
//
// Locks: tally.mu and Screen.mu, never both.
package demo
