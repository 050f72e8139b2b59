// Package kafkatools is Kafka's own command-line tools, native: kafka-topics,
// kafka-configs, the console producer and consumer and the rest, with Kafka's
// flags (old spellings and those of KIP-1147) and Kafka's output, so that a
// script written for Kafka's shell scripts runs unchanged, in milliseconds. It
// is not where Ottla's own commands live: those are package cli, with rules of
// their own for output and exit codes.
//
// A tool is a row of the table in tool.go: its options, and one function that
// does the work on a call. What differs from Kafka on purpose: no Java stack
// trace or log line follows an error, an address where no Kafka answers is
// reported within seconds and by its cause, and --help shows Ottla's own text.
//
// Reading order: tool.go (the table, Run, how each tool words a failure),
// flags.go (joptsimple's rules, help), client.go (reaching a cluster), then one
// file or two a tool. Parts: settings (client settings), text (lines to records
// and back), words (errors in Kafka's words).
//
// Sources: KIP-1147 (names of options), KIP-815, KIP-734 (offsets by time),
// KIP-107 (delete records), KIP-113 (log directories), and Kafka's own output.
package kafkatools
