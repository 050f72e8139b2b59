// Package sqs is Amazon SQS on our queues: every operation of its API but
// AddPermission and RemovePermission, in the JSON protocol and in the query
// protocol of SDKs from before 2023.
//
// It is not for what queues do (internal/event/queue): here a call is checked
// as SQS checks it, handed on, and answered in SQS's words, checksums and error
// codes. It holds no state, and nothing here has a lock or a goroutine.
//
// A queue is told by the last two parts of its URL, ACCOUNT/NAME, and by the
// region of the caller's signature; which host and port the URL has does not
// matter, and URLs that are answered have those by which the caller came.
//
// A message that some Kafka producer wrote may be anything. One whose bytes SQS
// does not allow as a body is answered in base64, with the message attribute
// ottla.encoding saying so; nothing is changed or left out.
//
// Reading order: service.go (what is asked of queues, the table of operations),
// address.go, errors.go; message.go and checksum.go (what messages are);
// queues.go, attributes.go, policy.go, tags.go (queues); send.go, receive.go,
// delete.go, visibility.go (messages), batch.go (what batches share), plain.go (the JSON of these), moves.go.
// Sources: Amazon SQS API reference, version 2012-11-05; the service's model.
package sqs
