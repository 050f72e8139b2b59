// Command simulation runs whole clusters of the product's own cores in simulated
// time, on simulated disks and a simulated network, under every fault that a seed
// draws, and judges what their clients saw.
//
//	go run ./test/simulation                      400 seeds, on all processors
//	go run ./test/simulation -seeds 20000 -from 1000
//	go run ./test/simulation -for 1h              as many as fit
//	go run ./test/simulation -seed 38 -trace      one, with all that happens
//
// It is not for what real disks, kernels and sockets do (test/faults), nor for the
// shells round the cores: their goroutines are written anew here, as events, in
// package cluster.
//
// A failing seed prints what is wrong, the options it drew, the last of its trace
// and how to run it alone. A fault that was never hit in 400 seeds or more fails
// the run by name; so does a seed that, run twice, is not the same. Seeds that found
// something are in testdata/seeds, and go test runs them.
//
// Files in reading order: main.go (flags), parent.go (children, one simulation in
// each at a time: the Raft library draws from the process's random source), tally.go
// (what must have happened). Parts: event (time and chance), cluster (the world).
package main
