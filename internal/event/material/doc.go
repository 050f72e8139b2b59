// Package material makes and deletes the topics that objects of the event layer are
// made of: it tells the one that was made from another of its name, by its id, or where
// that was not noted by the settings that it was made with.
//
// It is not for what objects mean, nor for whose a topic is (event/object tells), nor
// for settings of topics that exist.
//
// Main functions: Make, Exists, ID, Made, Left, Delete, DeleteMade. File: material.go.
//
// It holds no state; it may be called from any goroutine. Errors are Kafka's own
// (kerr), with what Kafka said.
package material
