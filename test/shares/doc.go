// Command shares lets share groups live through what they meet: members that
// are killed in the midst of their records, that are slower than their locks,
// that release records, and a broker that is killed and started again on its
// directory, while a producer writes all the time.
//
//	go run ./test/shares                       ten minutes, with and without key order
//	go run ./test/shares -for 60s -seed 7
//
// Two groups read the one topic, one of them with share.key.ordering. Their
// members (test/rig/sharer) speak the protocol request by request, so that it is
// known when each was sent and answered. A ledger holds the rules, at every moment: no
// record is acknowledged twice; none is delivered by a request that was sent
// after its acknowledgement was confirmed; with key order, none is delivered
// before somebody tried to accept the one before it. At the end nothing may be
// left: every record was accepted, and the lag is none. A kind of fault that was
// never made fails the run.
//
// Files in reading order: main.go, member.go (what a member does with what it
// gets), crowd.go (members that come and go), ledger.go (the rules).
package main
