// Package apache installs and runs the real Apache Kafka, so that tests can
// ask it what the right answer is. It needs java (17 or newer) and mvn on the
// path; nothing of the product needs it.
//
// A release of Kafka reaches the public repository in parts, so the broker and
// the command-line tools have versions of their own.
//
// Reading order: install.go (jars, once, into the user's cache), tools.go
// (command names to classes), broker.go (one node, started and stopped),
// cluster.go (several nodes).
package apache
