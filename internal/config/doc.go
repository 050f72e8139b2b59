// Package config is the one registry of settings: which there are, what values
// they take, where a node's values come from and what a topic's add up to.
// Files, flags, environment, DescribeConfigs, AlterConfigs and
// docs/configuration.md are all made from it. It opens no file and reads no
// environment itself: commands hand it what they found.
//
// What it is not for: deciding about changes (package controller), or heeding
// a value (whoever it concerns).
//
// Main types: Def declares a setting. Static holds what a node was started
// with, Report what became of it. View resolves values as DescribeConfigs
// shows them, over Static and what Dynamic was set at run time; Topic is the
// typed sum for one topic.
//
// Files in reading order: def.go and registry.go with settings.tsv (the
// declarations), value.go and valid.go (what a value may be), static.go and
// load.go (layers), properties.go, yaml.go, environ.go, units.go (their
// forms), refuse.go and report.go (what may not start, and the start report),
// listeners.go and crosscheck.go (settings that must fit together),
// mistake.go (how mistakes are told), view.go, chain.go and
// topic.go (effective values), dynamic.go (changes while running).
//
// Invariants: Def.Default is in normal form and passes its own check, and every
// value in a Static does; a test holds both. Values from the metadata may have
// been written by another version: where one does not fit, the default holds.
// A value is never silently ignored at start: it acts, is reported as without
// effect, or stops the start.
//
// Lock: topicBase.mu alone, held for one resolution. Definitions, Static and
// the maps that Dynamic hands out are immutable and shared.
//
// Sources: Kafka's configuration reference and its ConfigDef; KIP-226 (dynamic
// broker settings), KIP-339, KIP-412, KIP-569, KIP-714; a 4.4 broker's answers.
package config

import (
	"maps"
	"slices"
)

// sortedKeys lists a map's keys in order.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
