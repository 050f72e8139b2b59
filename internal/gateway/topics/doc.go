// Package topics is the HTTP door to the records of topics, and to the events of buses
// and topics as CloudEvents, for every language that can send a request.
//
// It is not for what buses do with events (event/bus), nor for queues and objects
// (gateway/rest, whose words for errors it uses). It keeps nothing of its callers.
//
//	POST /t/{topic}?key=&partition=&header.NAME=&null the body is one record's value
//	POST /t/{topic}                              application/x-ndjson: a record a line, as ottla consume writes them
//	GET  /t/{topic}?from=&max=&wait=&pattern=&where= {"records":[…],"next":CURSOR}; Accept: application/x-ndjson, text/event-stream
//	POST /ce/{name}                              an event in binary or structured mode, or a batch; name is a bus, else a topic
//	GET  /ce/{name}?from=&max=&wait=&pattern=&where= a batch; Accept: application/cloudevents+json for one event,
//	                                             text/event-stream; mode=binary for one in binary mode
//	OPTIONS /ce/{name}                           whether events may be sent here (CloudEvents' webhooks)
//
// Every answer with records tells where the next one begins: next, the header
// Ottla-Next, or the id of an event of a stream, which EventSource sends back as
// Last-Event-ID. So a reader goes on at any node.
//
// Files in reading order: door.go (Mount, what is wrong), put.go and get.go (records),
// stream.go (server-sent events), ce_put.go, ce_headers.go (binary mode), ce_get.go,
// handshake.go.
//
// Sources: CloudEvents 1.0.2, its HTTP binding, JSON format and "HTTP 1.1 Web Hooks for
// Event Delivery"; WHATWG HTML, "Server-sent events".
package topics
