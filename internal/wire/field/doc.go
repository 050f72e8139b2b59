// Package field takes single fields off the bytes of a record or a message in
// Kafka's binary format, as KIP-482 has it and as it was before.
//
// It is not for whole requests (package wire/shape bounds them, kmsg decodes
// them), and it knows no schema: the packages that own one embed a Reader.
//
// Main type: Reader. All is in reader.go.
//
// Invariants: no bytes make a Reader panic; none make it allocate more than a
// small multiple of their length; after the first error it gives zeros, so that a
// parser looks at Err once, at its end.
//
// Sources: Kafka's protocol guide (primitive types), KIP-482.
package field
