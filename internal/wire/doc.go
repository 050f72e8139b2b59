// Package wire knows the outside of Kafka's protocol: frames, request and
// response headers, error codes, the API keys with their versions. The bodies
// are decoded by kmsg, or by hand where that must not allocate; before kmsg
// sees a body, the sub-package shape checks that its counts and lengths are
// honest.
//
// It is not for what requests mean: that is package kafka and its families.
//
// Main types: Code and Error (one typed table of Kafka's codes), APIInfo,
// Header.
//
// Files in reading order: code.go, codes.go, codetable.go, error.go, api.go,
// apitable.go, ownkeys.go (keys between nodes, bodies in sub-package own),
// header.go, frame.go.
//
// Invariants: nothing here panics on bytes from the network or allocates for
// them; views (Header.ClientID, bodies) point into the frame and live as long
// as it does. Everything is stateless and may be used from any goroutine.
//
// Sources: the Kafka protocol guide, KIP-482 (flexible versions), KIP-511
// (ApiVersions); keys, versions and names are those of Kafka 4.4.0.
package wire
