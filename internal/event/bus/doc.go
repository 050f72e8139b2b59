// Package bus is buses, their rules and targets, archives and replays: what they are
// told to be, and the plans (event/plan) that are made of it.
//
// It is not for how events come to targets (event/run, event/delivery), nor for
// protocols (gateway/rest, gateway/aws/events), nor for what patterns and templates
// mean (event/pattern, event/transform).
//
// Main types: Service; Ref, Spec and Bus; RuleRef, RuleSpec, Rule and Target; Archive;
// Replay; Entry (an event that is put).
//
// Files in reading order: ref.go, spec.go, errors.go, service.go; check.go, pattern.go,
// place.go (what may be said); buses.go, topic.go, rules.go, targets.go, scheduled.go
// and whole.go (rules with a schedule), archives.go, retain.go (how long topics keep events), weigh.go
// (how much archives have), replays.go (what doors call); put.go (events), trial.go (a
// pattern on what was put), trialrule.go (a rule with targets), standing.go (where targets
// stand); secrets.go (of targets); compile.go, render.go, call.go (a rule as runners take
// it), draft.go, sources.go (and all of them).
//
// # Rules
//
//   - A bus's events are the records of its topic, whoever wrote them. The bus
//     "default" is there, and is made when it is used.
//   - What has a topic is noted before that is made, and noted as ending before it goes
//     (stage): then it is gone for all who ask, nothing is put under it, and whoever
//     deletes or makes it again ends it. That a bus ends is taken back where something was
//     put under it at the same moment, but not once the first of what it has goes (clearing).
//   - A rule holds from offsets: the ends of the bus's partitions when it was put. So
//     it takes what is put after the call was answered, and nothing that was put
//     before the call. The same holds of a target that is added later.
//   - Another pattern of a rule goes for what its runners have not read when they hear
//     of it; the call is answered when all have. So does what is changed of a target.
//   - A target's name with a word (queue:NAME) must be there; an ARN may name what
//     comes later, as in AWS.
//   - Archives with a pattern copy by a rule that only they change; without one they
//     have the topic of the bus keep its events for longer.
//   - What a replay reads is decided when it is started.
//
// # Locks
//
// whole.mu is held for moments, with no other.
// sources.publishing is held while Sources are made and told, sources.mu for moments;
// publishing comes before mu. News of objects take mu alone, so the mirror of objects
// waits for nobody who is told.
//
// Sources: EventBridge API reference and user guide.
package bus
