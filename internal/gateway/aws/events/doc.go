// Package events is Amazon EventBridge on our buses, in AWS JSON 1.1: event buses,
// rules, targets, events, archives, replays, API destinations, connections, tags and
// permissions.
//
// It is not for what buses do (internal/event/bus), nor for what is called
// (internal/event/connection): here requests are checked, translated and answered in
// EventBridge's words. It holds no state but whether it has warned of a policy that
// denies.
//
// A role is kept and told back and means nothing; neither does a policy, since there
// are no users yet. What a request says that has no meaning here is kept with the
// object and told back. What cannot be done is refused by name: encryption, partners'
// events, global endpoints, private connectivity, targets of services that are not here.
//
// Reading order: service.go (what is asked of others, the table of operations),
// names.go, errors.go, pages.go; put.go (PutEvents), try.go (TestEventPattern);
// buses.go, policy.go, rules.go, targets.go, tags.go; archives.go, replays.go;
// connections.go, secrets.go (what a connection knows), destinations.go.
// Sources: Amazon EventBridge API reference, version 2015-10-07; the service's model.
package events
