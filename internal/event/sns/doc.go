// Package sns is SNS: topics to which messages are published, and subscriptions that
// get those which their filter policy takes. A topic is a topic of Kafka's and an
// object (event/object); a subscription is an object too, and a rule of the plan by
// which runners bring messages on (event/plan).
//
// It is not for protocols (gateway/aws/sns), nor for carrying anything out: runners
// of the log (event/run) and of calls (event/delivery) do. What a message is, and
// what subscribers get of it, is package notice.
//
// Main types: Service; Topic and TopicSpec, Subscription and SubscriptionSpec;
// Message.
//
// Files in reading order: spec.go, errors.go, attributes.go (what they may be),
// service.go, topics.go, material.go (topics of Kafka's), subscriptions.go (which
// there are), subscribe.go, endpoint.go (what may be subscribed),
// confirm.go, publish.go, signer.go, view.go (what runners are told), render.go (what
// subscribers get), calls.go (of calls).
//
// # Rules
//
//   - A topic's messages are the records of its topic, whoever wrote them.
//   - What is answered is durable. A subscription gets every message that is published
//     after Subscribe, or Confirm where it needs that, was answered: its offsets are
//     taken before.
//   - The id of a subscription follows from its topic, protocol and endpoint, so that
//     there is one of each however many subscribe at once.
//   - Repeats of a FIFO topic's deduplication ids are dropped by the FIFO queues that
//     subscribed, in the order of the log; standard queues may get a message twice
//     anyway, and topics of Kafka's get the id.
//   - Addresses (http, https) get nothing but the request to confirm until they have
//     confirmed, within three days of the domain clock.
//
// Locks: view.mu guards what runners are told, signer.mu the
// signatures that are remembered. None is held while another is taken.
//
// Sources: SNS API reference (2010-03-31) and developer guide.
package sns
