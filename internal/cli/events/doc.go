// Package events is the commands of buses and of what goes over them: event, bus, rule,
// target, archive, replay, connection, destination, webhook, function, sns and apply. Each
// asks a node's native doors (package ask) and shows what they tell; what events are and
// where they go is decided there. Queues, schedules and dead letters are in package queues.
//
// Reading order: bus.go; event.go, event_tail.go, event_trace.go (putting, watching and
// following events); rule.go, rule_put.go, rule_try.go; target.go; archive.go, replay.go;
// connection.go (with destinations), webhook.go, webhook_listen.go, function.go; sns.go,
// sns_subscribe.go; apply.go, apply_file.go, apply_sections.go, apply_check.go (all of them,
// as a file says).
//
// What comes from events and from receivers is printed so that it does nothing to a
// terminal.
package events
