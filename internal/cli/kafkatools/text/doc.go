// Package text turns lines into records and records into lines as Kafka's
// console tools do: LineMessageReader (line_reader.go), DefaultMessageFormatter
// and its siblings with Kafka's deserializers (formatter.go), those of
// __consumer_offsets (internal_topics.go). It knows nothing of servers.
package text
