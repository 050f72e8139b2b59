// Package cluster is a simulated cluster: whole nodes made of the product's own
// cores, clients as workload, and faults, on one heap of events.
//
// (rewritten below)
package cluster
