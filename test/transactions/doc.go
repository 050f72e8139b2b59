// Command transactions proves that transactions hold through crashes: clients
// consume, transform and produce through several topics while broker and
// clients are killed with SIGKILL at random, and package history judges what
// all of them saw.
//
//	go run ./test/transactions                          60 seconds, as CI does
//	go run ./test/transactions -for 10m -seed 7
//	go run ./test/transactions -for 2m -against kafka   the same on the real Kafka
//	go run ./test/transactions -for 20s -plant dirty    must fail: see -help
//	go run ./test/transactions -check FILE              judge a history that was kept
//
// Records go from topic in through workers (two groups of transactional
// consumers) to mid and audit and from mid to out; each input must have its
// effects exactly once. Tellers write to in and to ledger, in transactions of
// every outcome: committed, aborted, abandoned to their time-out, fenced by a
// twin with the same transactional id, ended by the death of the client. Some
// clients use transactions of before KIP-890 part 2, and the second group is
// shared out by the broker (KIP-848).
//
// Everybody speaks to the broker through a proxy that understands frames. It
// holds EndTxn back, also beyond the end of its connection, so that it comes
// late, and sends again what belongs to epochs that are over: Produce, EndTxn,
// TxnOffsetCommit, and AddPartitionsToTxn and AddOffsetsToTxn made up for them.
// Each must be refused. It prints how often each fault was made; one that was
// never made fails the run, as does a transaction that outlives its time-out
// (which a Kafka 4.4 that was killed has shown: partitions stay held back though
// no coordinator knows of a transaction there). The history is kept where a run
// fails.
//
// Every worker and teller is a process of its own: this program again, told by
// its parent what to do and telling it, before each step, what may come of it
// (lines.go), so that the parent can put down what a client was about to do
// when it was killed.
//
// Reading order: main.go, stage.go (broker, proxy, topics), lines.go and
// child.go (what parent and child say to each other), worker.go, teller.go,
// team.go (the children from the parent's side), storm.go (kills), proxy.go,
// replay.go, settle.go (the end of a run), drained.go (when all is taken),
// clock_linux.go.
package main
