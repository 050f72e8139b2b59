package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
)

const pageHead = "# Clients\n\n" +
	"Written by `go run ./test/interop -write docs/clients.md`; do not edit. Each client runs its scenarios against a node of its own, which is restarted in their midst; a scenario stands under \"seen to work\" when the client's program, a few hundred lines below `test/interop`, passed it.\n\n" +
	"| client | language | version | seen to work | limits, and why |\n|---|---|---|---|---|\n"

const pageTail = `
What the scenarios are:

| scenario | what is done |
|---|---|
| create | a topic is made and described; making it again is refused |
| codec-* | 300 records with that compression: partitions, keys, values, nulls, headers and times come back as written |
| idempotent | 3,000 records of an idempotent producer, each once and in order |
| time | offsets for a time, the first and the last offset |
| large, huge | a record of 1,000,000 bytes, one that the broker refuses, one of 8 MiB in a topic that allows it |
| restart | producer and consumer go on through a restart of the broker, each record once and in order |
| group | one, two, three and again two members: every record seen once, the committed offsets are the ends |
| group-eager, group-roundrobin | the same with another assignor |
| commit | an offset in the middle is committed; who joins next goes on from it |
| static | a static member goes and comes back to its partitions, and no other member notices |
| group-restart | the broker restarts under a group of two: no record is missed, no commit lost |
| group-admin | the group is listed, described with its members, its offsets are read, deleting it is refused while it lives and done when it is empty |
| share | five members of a share group read three partitions: every record comes once |
| share-again | released records come again with their count, rejected ones do not |
| share-restart | the broker restarts under a share group: nothing that was acknowledged comes again, and nothing is missed |
| share-admin | a share group is described, its offset read, moved and deleted, the group deleted |
| word-count | Kafka Streams counts words through a repartition topic into a store with a changelog: no count is too small, and none too large where the guarantee is exactly once |
| streams-scale, streams-restart, streams-restore | the counts go on while a second instance comes and goes, while the broker restarts, and when all local state is gone and comes back from the changelog |
| streams-kill | an instance in a process of its own, found by its host (application.server), is killed while it works: its state is restored by the other, and the counts go on |
| connect-copy, connect-stop, connect-restart | Kafka Connect copies a file into a topic and the topic into a file, in order; the worker ends and the next goes on, each line once; the broker restarts, each line at least once |
| regex | a subscription by an expression that the server resolves: a topic that is made later is read too |
| migrate | a group goes from the classic protocol to the new one and back, a member at a time: every record is read, the committed offsets are the ends |
| sqs-queues | queues are made, found, changed, tagged, listed by pages and deleted through the AWS door; making one otherwise is refused |
| sqs-messages | bodies and attributes of all kinds come back as sent, with checksums that the SDK compares; 1 MiB; receipts |
| sqs-batches | ten at once, an error for each bad entry |
| sqs-fifo | order by message group, deduplication, sequence numbers |
| sqs-visibility, sqs-delays | messages are held, given back, held longer, delayed |
| sqs-dead-letters | what was received too often goes to the dead letters, and comes back by a move task |
| sqs-restart | the broker restarts twice under who sends and receives: every message whose sending was answered is received, none comes again that was deleted, what was held all the while is deleted in the end |
| sqs-kafka | Kafka reads what SQS sent, and SQS receives what Kafka's producer wrote, before the queue too, which adopts the topic (boto3) |
| ce-binary, ce-structured, ce-batch | events that CloudEvents' SDK sent to /ce in that mode come out the same in each: JSON, text and bytes as data, and none |
| ce-kafka | what the SDK's Kafka binding wrote comes out of /ce the same, and it reads what came in there |
| scheduler | groups, tags, schedules; one that runs once and is deleted, into a queue; with boto3 also into a bus, an SNS topic, and a function that is not there |
| sns | queues get what their filter policies take, as signed JSON and raw; a FIFO topic; with boto3 also an address that confirms, verifies signatures and leaves, attributes, tags, batches |
| eventbridge | a bus with a rule whose targets are queues, malformed detail, bad patterns; with boto3 also archive, replay, connections, tags and permissions |
| sts | GetCallerIdentity |
| aws-model | botocore's own models of SQS, Scheduler and STS know every member of every answer and every error that the scenarios got, and each operation was asked |
| console, perf | Kafka's own tools: console producer and consumer, the producer's performance test |
`

// writePage writes the table. Rows of clients that did not run stay.
func writePage(file string, ran []client, rows []row) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read the page as it was: %w", err)
	}
	kept := map[string]string{}
	for line := range strings.Lines(string(old)) {
		if name, _, found := strings.Cut(strings.TrimPrefix(line, "| "), " |"); found {
			if _, first := kept[name]; !first {
				kept[name] = line
			}
		}
	}
	var b strings.Builder
	b.WriteString(pageHead)
	for _, c := range clients {
		switch {
		case slices.ContainsFunc(ran, func(r client) bool { return r.name == c.name }):
			b.WriteString(pageRow(c, rows))
		default:
			b.WriteString(kept[c.name])
		}
	}
	b.WriteString(pageTail)
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// pageRow is a client's line of the table.
func pageRow(c client, rows []row) string {
	version, limits := "–", c.limits
	var passed []string
	for _, r := range rows {
		if r.client != c.name {
			continue
		}
		if r.version != "" {
			version = r.version
		}
		if r.why == "" {
			passed = append(passed, r.scenario)
		} else {
			limits = strings.TrimSpace(limits + " **Failed: " + r.scenario + "**")
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", c.name, c.language, version, strings.Join(passed, ", "), limits)
}
