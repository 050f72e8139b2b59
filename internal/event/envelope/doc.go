// Package envelope is one stored event and its two views: CloudEvents 1.0 (binary
// mode in Kafka headers is what is stored) and EventBridge's envelope. It is pure.
//
// It is not for which events fit which rules (event/pattern), nor for HTTP.
//
// Main type: Event. Files in reading order: event.go; read.go (a record becomes an
// event), record.go (and back), data.go (when data shows as JSON, text or base64),
// document.go (EventBridge's envelope out), from.go (and in), cloudevents.go (CloudEvents'
// JSON format, out and in), check.go (what a door takes), clock.go (times in text).
//
// Invariants:
//   - whatever bytes a record has, it reads as an event. One that is no CloudEvent is
//     Foreign, and Record gives its bytes unchanged.
//   - views are lossless both ways, with these exceptions: space round JSON data goes;
//     an account or region that is the default one is not told from none (SetPlace
//     leaves them out); EventBridge's envelope of an event without a time shows the
//     record's; what a record has as key and further headers is in no view.
//   - a document always reads as an event for patterns: data that is no JSON, or nested
//     too deep, shows as text or base64.
//
// # Which member is what
//
// EventBridge's detail-type is the type, detail the data, account, region and resources
// the extensions ebaccount, ebregion and ebresources (a list in JSON), id, source and
// time are themselves. Other attributes are members under their own names. An extension
// that is called like a member of the envelope is ce-NAME there.
//
// Sources: CloudEvents 1.0.2, its JSON format and Kafka protocol binding; EventBridge's
// "events structure reference".
package envelope
