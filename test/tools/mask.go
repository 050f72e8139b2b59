package main

import (
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ottla/test/rig"
)

// masking replaces what is one machine's or one run's own.
type masking struct {
	texts    *strings.Replacer
	patterns []pattern
}

type pattern struct {
	re *regexp.Regexp
	by string
}

var patterns = []pattern{
	{regexp.MustCompile(`^\[?\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d+\]? `), ""},
	{regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d+ `), ""},
	{regexp.MustCompile(`TopicId: [A-Za-z0-9_-]{22}`), "TopicId: ID"},
	{regexp.MustCompile(`(Cluster ID: |rack: )[A-Za-z0-9_-]{22}`), "${1}ID"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDR"},
	{regexp.MustCompile(`^(Feature: .*Epoch: )\d+`), "${1}N"},
	{regexp.MustCompile(`^(ClusterId: +)[A-Za-z0-9_-]{22}`), "${1}ID"},
	{regexp.MustCompile(`^(HighWatermark: +)\d+ *$`), "${1}N"},
	{regexp.MustCompile(`"directoryId": "[A-Za-z0-9_-]{22}"`), `"directoryId": "ID"`},
	{regexp.MustCompile(`^(\d+ *\t)[A-Za-z0-9_-]{22}\t\d+ *\t(\d+ *\t)\d{13} *\t\d{13} *\t`), "${1}ID\tN\t${2}NOW\tNOW\t"},
	{regexp.MustCompile(`[\d.]+ records/sec \([\d.]+ MB/sec\), [\d.]+ ms avg latency, [\d.]+ ms max latency(, \d+ ms 50th, \d+ ms 95th, \d+ ms 99th, \d+ ms 99\.9th)?\.`), "RATE."},
	{regexp.MustCompile(`"size":[1-9]\d*`), `"size":N`}, // lines are one batch or several, as the producer's pace has it
	{regexp.MustCompile(`"totalBytes":\d+,"usableBytes":\d+`), `"totalBytes":N,"usableBytes":N`},
	{regexp.MustCompile(`ottla-tools-\d+\.json`), "FILE.json"},
	{regexp.MustCompile(`\t\d{13}\s*\t\d+\s*\t`), "\tTIME\tLENGTH\t"},
	{regexp.MustCompile(`\t\d{13}\s*\t`), "\tTIME\t"},
	{regexp.MustCompile(`\[(kafka-admin-client-thread|kafka-producer-network-thread) \| [^\]]*\]`), "[thread]"},
}

// several are what differs of one cluster from the next: who leads the quorum and
// coordinates what, because that is chosen by chance, and who was asked.
var several = []pattern{
	{regexp.MustCompile(`^(LeaderId|LeaderEpoch|MaxFollowerLag|MaxFollowerLagTimeMs)(: +)-?\d+ *$`), "${1}${2}N"},
	{regexp.MustCompile(`"directoryId":"[A-Za-z0-9_-]{22}"|directoryId=[A-Za-z0-9_-]{22}`), "directoryId=ID"},
	{regexp.MustCompile(`^\d+ *\tID\tN\t\d+ *\tNOW`), "N\tID\tN\tLAG\tNOW"},
	{regexp.MustCompile(`directory id [A-Za-z0-9_-]{22}`), "directory id ID"},
	{regexp.MustCompile(`Local controller \d`), "Local controller N"},
	{regexp.MustCompile(`(from|part of) the set of voters \[.*\]`), "$1 the set of voters [IDS]"}, // in the order in which each node heard of them
	{regexp.MustCompile(`^([a-z]+-txn +\t)\d+ *\t\d+ *\t`), "${1}N\tID\t"},                        // list: coordinator, producer
	{regexp.MustCompile(`^\d+ *\t([a-z]+-txn +\t)\d+ *\t`), "N\t${1}ID\t"},                        // describe
	{regexp.MustCompile(`^\d+ *\t(\d+ *\t-?\d+ *\t-?\d+ *\tTIME\t)`), "ID\t${1}"},                 // producers
	{regexp.MustCompile(`127\.0\.0\.1 +\d+`), "ADDR"},                                             // endpoints
}

// loose are the numbers in a log that two brokers never share.
var loose = []pattern{
	{regexp.MustCompile(`(CreateTime|LogAppendTime|producerId|baseOffset|lastOffset|position|crc|size|batchCrc|offset|keySize|valueSize|deleteHorizonMs|partitionLeaderEpoch): ?-?\d+`), "$1: N"},
	{regexp.MustCompile(`\b\d{13}\b`), "TIME"},
	{regexp.MustCompile(`((?i:producerId|nextProducerId|previousProducerId)"?[:=] ?)\d+`), "${1}ID"},
	{regexp.MustCompile(`"topicId":"[^"]*"`), `"topicId":"ID"`},
}

// maskedLog is a line of kafka-dump-log without them.
func maskedLog(line string) string {
	for _, p := range loose {
		line = p.re.ReplaceAllString(line, p.by)
	}
	return line
}

// noise are lines that come and go with the machine.
var noise = regexp.MustCompile(`SLF4J|records sent, [\d.]+ records/sec \([\d.]+ MB/sec\), [\d.]+ ms avg latency, [\d.]+ ms max latency\.$|^\s+at (Shell\.|[a-z])|Got error produce response with correlation id \d+ .*(CONCURRENT_TRANSACTIONS|OUT_OF_ORDER_SEQUENCE_NUMBER)$|Connection to node -?\d+ .* could not be established|Bootstrap broker .* disconnected$|^\s*$`)

// masks are those of a side: where several nodes are, their addresses and folders
// keep the node's number.
func masks(c *rig.Cluster) masking {
	var texts []string
	for i, n := range c.Nodes {
		number := ""
		if len(c.Nodes) > 1 {
			number = strconv.Itoa(i + 1)
			texts = append(texts, n.Addr, "ADDR"+number)
		}
		texts = append(texts, n.Data, "DATA"+number, filepath.Dir(n.Data), "DIR"+number)
	}
	m := masking{texts: strings.NewReplacer(texts...), patterns: patterns}
	if len(c.Nodes) > 1 {
		m.patterns = slices.Concat(patterns, several)
	}
	return m
}

// rows are lines that a tool prints in the order of a hash map.
var rows = regexp.MustCompile(`^out (partition: |\t?Topic: |Dynamic configs for topic |readers |plain,|TransactionalId\t|ProducerId\t|NodeId *\t|ADDR\d )`)

// lines masks a text and marks its lines with where they came from. Log lines
// on standard error come in any order.
func (m masking) lines(from, text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if noise.MatchString(line) {
			continue
		}
		line = m.texts.Replace(sortedChoices(sortedDirs(sortedISR(line))))
		for _, p := range m.patterns {
			line = p.re.ReplaceAllString(line, p.by)
		}
		out = append(out, from+" "+line)
	}
	if from == "err" || slices.ContainsFunc(out, rows.MatchString) {
		slices.Sort(out)
	}
	return out
}

// partitionLists are what kafka-log-dirs prints in the order of hash maps.
var partitionLists = regexp.MustCompile(`"partitions":\[\{[^]]*\}\]`)

// sortedDirs puts the partitions of what kafka-log-dirs prints in order; it
// gives other lines back as they are.
func sortedDirs(line string) string {
	if !strings.HasPrefix(line, `{"brokers":[`) {
		return line
	}
	return partitionLists.ReplaceAllStringFunc(line, func(list string) string {
		const begin, end = `"partitions":[{`, `}]`
		parts := strings.Split(list[len(begin):len(list)-len(end)], "},{")
		slices.Sort(parts)
		return begin + strings.Join(parts, "},{") + end
	})
}

// inSync are the replicas in sync, which a broker gives in the order of a set.
var inSync = regexp.MustCompile(`\tIsr: [\d,]+`)

func sortedISR(line string) string {
	return inSync.ReplaceAllStringFunc(line, func(text string) string {
		nodes := strings.Split(strings.TrimPrefix(text, "\tIsr: "), ",")
		slices.Sort(nodes)
		return "\tIsr: " + strings.Join(nodes, ",")
	})
}

// withoutHelp leaves out the list of options that follows a wrong call, in
// joptsimple's form and in argparse's.
func withoutHelp(text string) string {
	var b strings.Builder
	skipping := false
	for line := range strings.Lines(text) {
		switch {
		case strings.HasPrefix(line, "Option  "):
			return b.String()
		case strings.HasPrefix(line, "usage: "):
			skipping = true
		case skipping && strings.Contains(line, ": error: "):
			skipping = false
		}
		if !skipping {
			b.WriteString(line)
		}
	}
	return b.String()
}

// choices are lists that a tool prints in the order of a hash set.
var choices = regexp.MustCompile(`^(.*(?:one of the following scenarios|takes one of these options|Valid states are): )(\[?)(.*?)(\]?)$`)

func sortedChoices(line string) string {
	m := choices.FindStringSubmatch(line)
	if m == nil {
		return line
	}
	words := strings.Split(strings.NewReplacer("[", "", "]", "").Replace(m[3]), ", ")
	slices.Sort(words)
	return m[1] + strings.Join(words, ", ")
}
