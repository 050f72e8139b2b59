package main

// What every client, in its own language, writes and expects back:
//
//	create      a topic of 3 partitions, which is described; once more is refused
//	codec-C     300 records with codec C, read back by assignment from the
//	            beginning: record i lies in partition i%3 with key "k<i>" (null
//	            for every tenth), value "value <i> " twenty times (null where
//	            i%10 is 5), headers n=<i> and empty="", timestamp base + i seconds
//	idempotent  3,000 records from an idempotent producer with acks=all: each
//	            once, in order
//	time        the offset for base + 100 s in each partition of codec-none, and
//	            none for a time after the last record
//	large       a record of 1,000,000 bytes; one of 1,100,000 is refused by the
//	            broker as too large
//	huge        8 MiB through a topic with max.message.bytes=10485760
//	restart     an idempotent producer and a consumer go on working through a
//	            restart of the broker: each record once, in order
//	group       a group of one, two, three and again two members on a topic of 6
//	            partitions: after each change all partitions have one owner, 300
//	            numbers are sent, seen once, and committed
//	group-eager the same with the range assignor, where group had another
//	commit      offset 60 of 100 is committed; the next member begins there
//	static      of two static members one goes and comes back to its partitions,
//	            without a new assignment for the other
//	group-restart  the broker restarts under a group of two while numbers are
//	            sent: all are seen, and the commits in the end are the ends
//	word-count  Kafka Streams counts words: the counts that come out are those of
//	            what went in (at least, at least once)
//	streams-scale, -restart, -restore  the same with an instance that comes and
//	            goes, through a restart of the broker, and with the local state
//	            gone, which comes back from the changelog
//	streams-kill  an instance in another process, found by its host, is killed
//	            while it works (kill -9): what it had counted comes back elsewhere
//	connect-exact  a distributed worker of Kafka Connect copies a file into a topic,
//	            lines and offsets in transactions: each line once, in order
//	connect-exact-kill, -restart  the same through the worker's death (kill -9) and
//	            through a restart of the broker
//	connect-copy  Kafka Connect copies a file into a topic and that into a file
//	connect-stop  the worker ends and another goes on: each line once, in order
//	connect-restart  the broker restarts under it: each line at least once
//	regex       a subscription by an expression, to a topic that is there and to
//	            one that is made later
//	migrate     members with the classic protocol come and go, and with the new
//	            one, in one group: each number at least once
//	txn         transactions of 30 numbers, committed, aborted, committed: a reader at
//	            read_committed sees the first and the third, one at
//	            read_uncommitted all, in order
//	txn-offsets 60 numbers are read in a group, 20 or less at a time, and written to
//	            another topic in transactions with their offsets; the second try
//	            is aborted and made again. Each is there once, and the commits in
//	            the end are the ends
//	txn-fenced  a second producer begins with the transactional id of one that has a
//	            transaction open: the first one's commit is refused and nothing of
//	            it is seen, the second one's is
//	sqs-…       a queue through the AWS door: what each does is told in page.go
//	sqs-kafka   a message that SQS sent is read by Kafka, with its attribute as a
//	            header, and what Kafka's producer wrote is received, bytes in base64
//	ce-binary   events with JSON, text, bytes and no data, as CloudEvents' SDK sends
//	            them in binary mode to /ce: each comes out the same in each mode
//	ce-structured, ce-batch  the same in structured mode, and in one batch
//	ce-kafka    what the SDK's Kafka binding wrote in both modes comes out of /ce the
//	            same, and it reads what came in there
//	scheduler   a schedule into a queue, once, and what is asked of schedules
//	sns         a topic with queues and an address that confirms, and what is asked of SNS
//	eventbridge a bus with a rule into queues, and what is asked of EventBridge
//	sts         GetCallerIdentity
//	group-admin list, describe, committed offsets, delete (refused while it
//	            lives, done when it is empty)
const (
	partitions   = 3
	contentCount = 300
	manyCount    = 3000
	hugeBytes    = 8 << 20
	largeBytes   = 1_000_000
	tooLarge     = 1_100_000
	hugeLimit    = "10485760"
)

// noise is n bytes that no codec makes much smaller.
func noise(n int) []byte {
	out, x := make([]byte, n), uint32(12345)
	for i := range out {
		x = x*1664525 + 1013904223
		out[i] = byte(x >> 24)
	}
	return out
}
