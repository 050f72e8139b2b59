// Package reach tells, in plain words, whether a Kafka server answers at an
// address, and what is there when none does. Every command and every tool asks
// it before a client is made, because a client would retry in silence. It makes
// no client itself.
//
// Files in reading order: reach.go, partly.go (what some of several nodes said).
package reach
