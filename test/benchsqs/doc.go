// Command benchsqs measures queues through the SQS door: beside ElasticMQ, beside
// a server that does nothing, and what waiting costs.
//
//	go run ./test/benchsqs [-only NAME,...] [-pairs N] [-seconds N] [-conns N] [-polls N] [-binary FILE] [-dir DIR] [-keep-busy]
//	go run ./test/benchsqs -run NAME [-repeat N]      one measure against Ottla alone, for a profiler
//
// Ottla stores all durably, ElasticMQ nothing at all. The runs alternate, the other
// side first; a measure's figure is the median of the ratios pair by pair. CPU is
// that of the server's process, user and system. A pair during which others took
// more than half a core is thrown away and measured again, as often as pairs are
// asked for; -keep-busy keeps it.
//
//	single, batch          a message, or ten, sent, received and deleted, by requests
//	                       that were written beforehand, over plain sockets, against
//	                       ElasticMQ
//	sdk-single, sdk-batch  the same by aws-sdk-go-v2 against a server that answers
//	                       and does nothing
//	groups                 FIFO: 100,000 message groups beside ten, a message of each
//	                       waiting
//	polls                  10,000 receives that wait for what does not come: memory
//	                       of the process
//
// It exits with status 1 when a figure falls short of its goal. It needs Linux, and
// for ElasticMQ java 17 and mvn.
//
// Reading order: main.go, measures.go (what is measured, and the goals), load.go
// (connections that send, receive and delete), caller.go (HTTP with requests that
// were written beforehand), requests.go, groups.go, polls.go, sdk.go (a program of
// test/interop/awsgo), sides.go (the servers), elasticmq.go, idle.go (the one that
// does nothing).
package main
