// Package lambda is the part of Lambda's API that says which functions take from which
// queues and topics: event source mappings, on mappings (event/mapping).
//
// It is not for making functions, which a file of the server declares, nor for calling
// them.
//
// Main function: Service. Files in reading order: service.go (operations, errors),
// mappings.go (what they do), shapes.go (what is sent and answered).
//
// Sources: Lambda's API reference, 2015-03-31.
package lambda
