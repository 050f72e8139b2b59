// Command faults makes the faults that one node can meet, each under load, and
// has the history of what its clients saw judged by package history.
//
//	go run ./test/faults                  all rows
//	go run ./test/faults -short           fewer of each, for CI (3 minutes)
//	go run ./test/faults -only 1,10,12
//	go run ./test/faults -check FILE      judge a history that was kept
//	go run ./test/faults -against ADDR    no faults: record and judge another broker
//	go run ./test/faults -only 2 -set durability=memory
//	go run ./test/faults -nodes 3 -for 30m   a cluster of processes (package three)
//
// The one with durability=memory must fail: it takes the promise away and shows that this would be
// seen.
//
// A row is a fault: kill -9, a power cut, a failing sync, a full disk, ... Its
// number is that of our list of faults; the numbers between belong to clusters
// (3, 21, 22, 29-32, 35), to the simulated disk of the log's own tests (4-9, 11)
// or to what one node does not have yet (34, 36, 37). The table at the end says
// how often each fault took place: one that was never hit fails the run, and
// one that this machine does not allow is named as such. Histories and logs are
// kept where a row fails.
//
// What holds in every row: what was acknowledged is there, once, in order; no
// reader goes back or misses a record; committed offsets never fall; the process
// is up, or ended because the row ended it; writes are taken again within five
// seconds of the fault's end.
//
// How long an answer takes is judged nowhere but by bounds of seconds: on a
// machine that does much else a ratio of latencies (row 14) says little.
//
// It is not part of go test. It needs Linux, and root for most rows; strace for
// 10a and 14.
//
// Reading order: main.go, row.go, scene.go, then the rows: ends.go (1, 2, 19),
// groups.go (what groups have committed), disk.go (12, 13, 15a), two_disks.go
// (15b), sync.go (10a, 14), limits.go (16, 17), peers.go (20, 24, 28), txns.go (23), bytes.go
// (25), batches.go (26, 27), dirs.go (33), lost.go (10b); strace.go and proc.go
// are their tools.
package main
