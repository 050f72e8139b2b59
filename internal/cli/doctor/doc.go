// Package doctor examines a cluster as a client sees it and says what is wrong,
// by what evidence, and what to run. It changes nothing.
//
// Facts are gathered once (facts.go, the only part that speaks to servers);
// every check is a function of them that decides and asks nothing, so each is
// tested with made-up facts. A check has a code that stays: `ottla explain D09`
// says what it is for.
//
// Reading order: doctor.go (the table of checks, Run), facts.go, reach.go
// (addresses and versions), partitions.go (leaders and replicas), disk.go,
// process.go (descriptors, memory), settings.go, records.go (times, open
// transactions), groups.go, events.go (queues, dead letters, timers, schedules),
// rules.go and rulechecks.go (buses, rules, targets). losses.go is apart: what losing
// nodes or power would cost each topic, which `ottla doctor durability` shows.
package doctor
