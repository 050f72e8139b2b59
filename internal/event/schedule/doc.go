// Package schedule keeps schedules and has their runs delivered: to a topic, a queue,
// a bus or an SNS topic exactly once, to an HTTP address or a function at least once
// under one id.
//
// It is not for when an expression has a run (event/cron), nor for what becomes
// of a run (schedule/course, which decides), nor for how an address or a function is
// called (event/outbound, event/function), nor for how an event lies in a bus's topic or a
// message in an SNS topic's (event/bus, event/sns). Doors (gateway/rest, gateway/aws/scheduler) call Service.
//
// Main types: Service, Spec, Schedule, Ref; runner, which has one partition's
// schedules.
//
// Files in reading order: ref.go, spec.go, check.go, place.go, placeholders.go (what a
// schedule is), there.go (whether what it names is there); errors.go, service.go, manage.go, groups.go (what doors call);
// view.go (what is known of all schedules here), runner.go, load.go, turn.go,
// plan.go, commit.go, write.go (how runs are decided), deliver.go, attempts.go, letters.go (where they go),
// wake.go (timers), settle.go (after the clock was moved).
//
// # How a run comes about
//
// A definition is an object (event/object), which every node mirrors. What has
// happened to a schedule is a record of StateTopic, in the partition that its key
// hashes to; the node that leads the partition runs it. A runner has the
// transactional id ottla-schedules-N, so that whoever takes over fences the one
// before and ends what it had open. Each turn is one transaction: the runs that
// are due, as records of their topics, and what is known of the schedules after
// it. So a run is there exactly when it is noted. Where a topic refuses its records,
// all is taken back and written again without them.
//
// A runner sleeps until a timer (kafka/timers) puts a record with the schedule's
// key into WakeTopic. Such a record only says "look": to read one twice changes
// nothing, and none needs to be kept, because a runner that starts looks at all
// its schedules. So the offsets of WakeTopic are committed nowhere.
//
// A call of an address or a function is noted before it begins and after it has ended. One that
// was under way when its node died is made again, with the same id.
//
// # Locks
//
// Service.mu guards the runners; view.mu the definitions; runner.mu what a runner
// is told. No two are held at once. A runner's goroutine owns all else of it.
package schedule
