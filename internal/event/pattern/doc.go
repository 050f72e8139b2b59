// Package pattern tells which rules an event fits. It reads the event patterns of
// Amazon EventBridge, with every operator, and matches an event with a hundred
// thousand of them at once. docs/events/patterns.md has the language.
//
// It is not for what happens then: it delivers nothing, and knows no bus. It is
// pure; only the order in which hashes fall differs between processes, and nothing
// that it answers depends on that.
//
// Main types: Pattern (Parse, Matches, Explain), Set (Match, Edit), Matcher (the
// memory of one goroutine), Error, Explanation.
//
// # How an event finds its rules
//
// The paths that rules name make a tree of names. The scanner walks an event's
// bytes along it, keeps the values at those paths, and checks the grammar of all
// the rest without looking at it. Each alternative of a rule is a program, a short
// string that tests values, and is filed by one key: a value or a part of one that
// every event must have to fit. So an event looks up its few values, and only the
// programs that it finds there are run. Where many share a key, as they do a source,
// they are filed there by one of another field, in an index of that key's own; an
// event without the key never comes to them. Adding or removing a rule changes the
// few nodes that lead to its keys.
//
// Files in reading order: limits.go; parse.go, text.go, operators.go, number.go,
// address.go, forms.go (patterns: wildcards and the cases of letters are forms);
// program.go, value.go (tests and what they test); scan.go (events);
// step.go, table.go (trees that versions share); keys.go, bucket.go, file.go, set.go (rules
// in a Set); match.go, lists.go (matching); explain.go.
//
// Invariants:
//   - a Set never changes. What an Edit may change in place is what it made itself:
//     nodes carry their owner, and Edit.Set gives the Edit a new one.
//   - how rules are filed changes how many are tried, never the answer: every value
//     that passes a test has one of the test's keys (keys.go).
//   - an event is refused exactly when it is no JSON object or beyond the limits,
//     whatever the rules are.
//   - matching takes time in proportion to the event and the programs that it
//     finds: no combinations of list elements are tried (lists.go).
//   - Match allocates nothing once the Matcher has grown.
//
// Sources: EventBridge user guide, "Event patterns" and "Comparison operators";
// AWS's event-ruler, which test/pattern compares with; RFC 8259 (JSON), RFC 4291
// and 4632 (addresses), Unicode's SpecialCasing.txt.
package pattern
