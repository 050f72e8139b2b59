// Command groups lets consumer groups live through what groups meet: members
// that are killed, leave, fall silent and come back with what they believed
// before, and a broker that is killed and started again on its directory, while
// producers write all the time.
//
//	go run ./test/groups                                  ten minutes, all protocols
//	go run ./test/groups -for 60s -protocol cooperative -seed 7
//	go run ./test/groups -against kafka -for 3m           the checker itself: must be clean
//	go run ./test/groups -check HISTORY                   judge a history that was kept
//	go run ./test/groups -protocol consumer -judge-settle all owned 2 s after a change
//
// The protocols are classic (eager), cooperative, consumer (KIP-848) and
// migrating: its members come with the one protocol for a while and then with the
// other, so the group is of both kinds, and changes its type, again and again.
//
// Each protocol has a group of its own on the one topic, of 20 members: half of
// them are processes (this program again), half live in the program itself. All
// that they were given, read and committed becomes a history, which is judged at
// the end by package history and by the rules of this one. A kind of fault that
// was never made fails the run. It needs Linux: members are frozen by SIGSTOP,
// and all clocks are the machine's monotonic one.
//
// Reading order: main.go, protocol.go (who speaks what), member.go (a consumer
// that writes down what it does), child.go (one in a process of its own),
// local.go (one in this process), crowd.go (the group's places, which are filled
// again and again), fates.go (what the history says of that), faults.go (what is done to them, by a seed), watch.go (the
// committed offsets), judge.go, rules.go and settled.go (its rules), report.go.
//
// Invariants: what a member has read is in the history before it commits it, and
// that it is about to commit is there before the request leaves, so a member may
// end at any moment; an operation's Start is before its request, its End after
// the answer.
package main
