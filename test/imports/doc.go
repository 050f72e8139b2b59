// Command imports checks that a log directory of the real Apache Kafka opens
// here: it fills a Kafka node with records of every shape, stops or kills it,
// imports its directory with `ottla log import`, starts Ottla on the result, and
// compares what clients see, record by record.
//
//	go run ./test/imports                  copied and linked, stopped and killed
//	go run ./test/imports -fixture DIR     only make the archives that tests of package logimport read
//
// It needs what test/oracle needs (java and mvn); the product's own tests run on
// the archives. It is not for the speed of an import.
//
// Reading order: main.go (the cases), fill.go (what Kafka holds), seen.go (what
// a client sees), tree.go (that the source is left alone; archives).
package main
