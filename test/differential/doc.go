// Command differential sends the same hand-made requests, good and bad, to the
// real Kafka and to Ottla and compares the answers field by field.
//
//	go run ./test/differential [-binary FILE] [-only REGEXP] [-v] [-list]
//
// It prints every difference with what both sides said; one that package known
// lists is only counted. It exits with status 1 on any other.
//
// A story is a script of requests that runs alone on fresh topics; both sides
// get it at their own pace and each leaves a transcript: one line for each
// field of each answer. Where a side closes the connection, or does not answer
// in time, that is what the transcript says. Identifiers, times, ports and
// throttle times are masked, the rest is compared as it is.
//
// Reading order: main.go, scene.go (a story on one side), frame.go (requests to
// bytes and back), transcript.go (answers to lines), batch.go (hand-made record
// batches), compare.go, then the stories: produce*.go, fetch.go, offsets.go,
// protocol.go, topics.go, settings.go, group*.go, consumer*.go, node.go, txns*.go.
// Stories whose name begins with slow/ run only when -only names them.
package main
