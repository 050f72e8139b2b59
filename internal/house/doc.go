// Package house holds the rules of the house as tests: which room may import
// which (floors_test.go), which rooms are pure (purity_test.go), that every
// room has a map (maps_test.go), that tests wait for events (sleep_test.go). It
// has no code of its own. A rule that fails says its reason; where the reason is
// wrong, change the rule here and docs/architecture.md with it.
package house
