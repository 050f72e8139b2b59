// Package transform makes of an event what a target gets: a fixed text, a part of the
// event, or a template filled with parts, as EventBridge's Input, InputPath and
// InputTransformer do. It is pure.
//
// It is not for which targets there are, nor for what else a target takes from an
// event (a key, a header): for that, Path finds a value.
//
// Main types: Path, Spec, Transform (Parse, Apply), Vars, Error. Files in reading order:
// path.go, transform.go, template.go (a template is read), render.go (and filled).
//
// # Templates
//
// <name> stands for the value of a path, <$.detail.id> for that path itself, and
// <aws.events.rule-arn>, <aws.events.rule-name>, <aws.events.event.ingestion-time>,
// <aws.events.event> (without the detail, and with detailType) and
// <aws.events.event.json> for what they say. A template that begins with a quotation
// mark is text: strings in quotation marks, one or more, which keep their marks and
// line breaks. Any other is JSON, and is written without space. A value that stands
// bare is put in as the JSON it is, "" where the event has none; within quotation marks
// a string is put in without its own, nothing where the event has none, and lists and
// objects are escaped in JSON, and lose their quotation marks in text, as EventBridge
// has it.
//
// Invariants: what a JSON template makes is JSON, whatever the event holds; nothing
// made is longer than MaxOutput.
//
// Sources: EventBridge user guide, "Amazon EventBridge input transformation"; API
// reference, InputTransformer.
package transform
