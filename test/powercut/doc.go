// Command powercut cuts the power of a disk under Ottla and looks what is left.
//
// It makes an ext4 image on a loop device, lets a writer work on it, stops the
// writer where it stands, cuts the file system off with the shutdown ioctl of
// the kernel (what is in memory, the journal included, never reaches the disk),
// kills the writer, mounts the image again and checks that every acknowledged
// record is there, in order. It needs Linux and root; elsewhere it says "not
// possible here" and exits with 77.
//
//	go run ./test/powercut                  20 cuts under `ottla serve`, franz-go producing
//	go run ./test/powercut -what log        the same under the log alone, in a child process
//	go run ./test/powercut -n 1500 -seed 7 -binary ./ottla
//
// It is not part of go test and holds no check of its own but the log's: the
// ledger of package realfault judges what the node promised.
//
// Reading order: main.go, node.go, log.go.
package main
