// Package ask is what all commands of ottla share: the flags of every command, how a
// cluster is reached by its Kafka port and by a node's HTTP port, how what came of it is
// printed, and the words that people read. It knows no noun: commands are in the packages
// events, queues, topics, admin and outbox, which ask by it; what they print and fail with
// is put into form by out and fail.
//
// Reading order: options.go (Options, the flags, completion of live names), connect.go
// (Kafka, and saying why not), ask.go (the native doors, page by page and thing by thing),
// place.go (which bus or queue), noun.go (commands that hold verbs), print.go (what worked
// and what failed, questions to people), topic.go (what goes wrong with topics), words.go
// (numbers, times and bytes as words), version.go.
//
// Words are the same in all commands: what is not known is nil, so that machines read
// null and people a dash.
package ask
