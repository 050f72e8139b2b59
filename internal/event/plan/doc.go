// Package plan is what the rooms of the event layer say to each other about where
// events go: sources that runners read, the rules that they match, the targets of
// those, and what is to be sent there. Buses (event/bus) and SNS topics (event/sns)
// make plans of what users defined; runners (event/run) carry them out; HTTP targets
// and functions are called by event/delivery. It is pure types.
//
// It is not for how objects are stored or checked, nor for how anything is sent.
//
// Main types: Source, Rule, Target, Place, Payload, Endpoint. Files in reading order:
// plan.go (what a runner reads), endpoint.go (what is called), id.go.
//
// Invariants: a Source that was published is never changed; a change publishes
// another. Keys are those of objects (name.Ref.Key), with "#ID" of the object behind
// where a thing that is made anew under the name must be another.
package plan
