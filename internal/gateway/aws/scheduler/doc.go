// Package scheduler is Amazon EventBridge Scheduler on our schedules: all twelve
// operations, in rest-json.
//
// It is not for what schedules do (internal/event/schedule): here requests are
// checked, translated and answered in Scheduler's words. It holds no state, and
// nothing here has a lock or a goroutine.
//
// A target is a queue, an event bus, an SNS topic or a function by its ARN, a topic as
// arn:aws:kafka:REGION:ACCOUNT:topic/ottla/NAME, or, which AWS does not have, an address
// as it is (https://…). A universal target is carried out as one of these where it comes to
// the same, and told back as it was written. Targets of other services are refused. A role is kept and told back and means nothing. A request
// with the ClientToken of the one that made the schedule, or the group, makes it
// only once; one with that of the request that deleted it deletes nothing more.
// Without Input a target gets an event, as at AWS; StartDate and EndDate of what
// runs once are kept and mean nothing.
//
// Reading order: service.go (what is asked of schedules, routes), shapes.go,
// constraints.go (of the model, in AWS's words),
// translate.go (a Spec and back), universal.go, schedules.go, lists.go, groups.go, tags.go.
// Sources: Amazon EventBridge Scheduler API reference, version 2021-06-30; the
// service's model.
package scheduler
