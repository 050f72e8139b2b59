package controller

import (
	"slices"
	"strings"

	"ottla/internal/wire"
)

// maxTopicName is the longest name that still leaves room for "-N" and the
// suffixes of a partition's directory in 255 bytes.
const maxTopicName = 249

// reservedTopic holds the metadata itself and is nobody's to make.
const reservedTopic = "__cluster_metadata"

// CheckTopicName tells whether a topic may be called so; the error is
// INVALID_TOPIC_EXCEPTION with Kafka's words.
func CheckTopicName(name string) error {
	reason := ""
	switch {
	case name == "":
		reason = "the empty string is not allowed"
	case name == "." || name == "..":
		reason = "'" + name + "' is not allowed"
	case len(name) > maxTopicName:
		reason = "the length of '" + name + "' is longer than the max allowed length 249"
	case strings.IndexFunc(name, notInTopicName) >= 0:
		reason = "'" + name + "' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
	default:
		return nil
	}
	return wire.Errorf(wire.InvalidTopic, "Topic name is invalid: %s", reason)
}

func notInTopicName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '_' && r != '-'
}

// collisions finds topics whose names differ only in '.' and '_', which are one
// character in metric names (KAFKA-3219): the topics with such characters, by
// the name they have as metrics. Sorted lists, nearly always of one.
type collisions map[string][]string

func metricName(topic string) string { return strings.ReplaceAll(topic, ".", "_") }

func canCollide(topic string) bool { return strings.ContainsAny(topic, "._") }

func (c collisions) add(topic string) {
	if !canCollide(topic) {
		return
	}
	key := metricName(topic)
	if i, found := slices.BinarySearch(c[key], topic); !found {
		c[key] = slices.Insert(c[key], i, topic)
	}
}

func (c collisions) remove(topic string) {
	key := metricName(topic)
	if i, found := slices.BinarySearch(c[key], topic); found {
		if c[key] = slices.Delete(c[key], i, i+1); len(c[key]) == 0 {
			delete(c, key)
		}
	}
}

// with gives an existing topic that the name collides with, "" when none does.
func (c collisions) with(topic string) string {
	if canCollide(topic) {
		for _, other := range c[metricName(topic)] {
			if other != topic {
				return other
			}
		}
	}
	return ""
}
