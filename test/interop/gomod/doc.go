// Command gomod is the program of the clients that are other Go modules,
// sarama and segmentio's kafka-go: a module of its own, so that the product's
// go.mod holds neither. The runner builds it and runs `gomod CLIENT ADDRESS
// PREFIX`; it speaks the runner's protocol of lines.
//
// Files: main.go, sarama.go, segmentio.go; the scenarios are package crowd's.
package main
