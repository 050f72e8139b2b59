// Package sns is Amazon SNS on our topics: its API but what sends to telephones and
// mobile devices, in the query protocol, and the certificate by which notifications
// are verified.
//
// It is not for what topics do (internal/event/sns): here a call is checked as SNS
// checks it, handed on, and answered in SNS's words and error codes. It holds no
// state, and nothing here has a lock or a goroutine.
//
// A subscription remembers by what address its caller came; the addresses in
// notifications begin so.
//
// Reading order: service.go (what is asked of topics, the table of operations),
// errors.go, address.go; topics.go, attributes.go, tags.go; subscriptions.go,
// confirm.go; publish.go; certificate.go.
// Sources: Amazon SNS API reference, version 2010-03-31; the service's model.
package sns
