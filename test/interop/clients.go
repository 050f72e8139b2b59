package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"ottla/test/oracle/apache"
)

// client is one program under test.
type client struct {
	name      string
	language  string
	scenarios []string      // what it must report
	limits    string        // what the library cannot do itself, or why a scenario is not asked; for the page
	slow      bool          // runs only when it is named, or with -slow: its build takes minutes
	within    time.Duration // bounds its whole run; 0 is clientWithin
	command   func(ctx context.Context, cache string) (command, error)
}

// command is how a client is run; the broker's address and the topic prefix
// are appended to args.
type command struct {
	path string
	args []string
	dir  string
	id   string // makes topic names new at every run
}

// The scenarios are described in content.go. whole is what a client has to
// show that can do everything.
var (
	codecs  = []string{"codec-none", "codec-gzip", "codec-snappy", "codec-lz4", "codec-zstd"}
	plain   = slices.Concat([]string{"create"}, codecs, []string{"idempotent", "time", "large", "huge", "restart"})
	grouped = []string{"group", "commit", "static", "group-restart", "group-admin"}
	whole   = slices.Concat(plain, grouped)
	ended   = []string{"txn", "txn-offsets", "txn-fenced"}
	counted = []string{"word-count", "streams-scale", "streams-restart", "streams-restore", "streams-kill"}
	copied  = []string{"connect-copy", "connect-stop", "connect-restart"}
	exactly = []string{"connect-exact", "connect-exact-kill", "connect-exact-restart"}
)

// The clients of the AWS door, which is on the HTTP port.
var (
	boto3Packages  = []string{"boto3==1.43.11", "awscli==1.45.11", "kafka-python==3.0.12", "cryptography==50.0.2"} // the last two for sqs-kafka and sns
	oldBoto        = []string{"boto3==1.26.41", "botocore==1.29.41", "cryptography==50.0.2"}                       // of December 2022: the query protocol
	queued         = []string{"sqs-queues", "sqs-messages", "sqs-batches", "sqs-fifo", "sqs-visibility", "sqs-delays", "sqs-dead-letters", "sqs-restart"}
	queuedShort    = []string{"sqs-queues", "sqs-messages", "sqs-batches", "sqs-fifo", "sqs-dead-letters", "sqs-restart"}
	awsJavaVersion = "2.57.8"
)

// without gives the scenarios that are not in out.
func without(all []string, out ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(out, s) })
}

// The versions of the clients. Java's are those of org.apache.kafka:kafka-clients:
// today's, and the last of the line that still spoke to brokers of before.
var (
	pythonPackages    = []string{"confluent-kafka==2.16.1", "kafka-python==3.0.12", "aiokafka==0.14.0", "python-snappy==0.7.3", "lz4==4.4.5", "zstandard==0.25.0"}
	confluentPackages = []string{"@confluentinc/kafka-javascript@1.10.1"}
	nodePackages      = []string{"kafkajs@2.2.4", "kafkajs-snappy@1.1.0", "lz4-napi@2.10.0", "zstd-codec@0.1.5"}
	javaClients       = []string{"4.4.0", "4.1.0", "3.9.1", "2.8.2"}
)

var clients = append(slices.Concat(javas(), consumerClients(), shareClients(), awsClients(), cloudClients()), []client{
	{name: "go", language: "Go", scenarios: slices.Concat(whole, []string{"group-eager"}, ended), command: self("go"),
		limits: "after a restart of the broker its group admin requests give EOF once for each connection that was cut; they are not tried again by the library; with the consumer protocol (`ServerSideBalancer`) a static member leaves without its instance id, which no broker takes (Kafka neither: INVALID_REQUEST), so who comes back under its name waits until its session is over"},
	{name: "confluent", language: "Python", scenarios: slices.Concat(whole, []string{"group-eager"}, ended), command: python("confluent.py")},
	{name: "kafka-python", language: "Python", scenarios: whole, command: python("kpython.py"),
		limits: "its admin client goes to the controller that it found first, and when it heard of the nodes while that one was away it does not ask again for five minutes (the program makes a new one)"},
	{name: "aiokafka", language: "Python", scenarios: whole, command: python("aio.py"),
		limits: "its admin client cannot delete groups, and one that heard of the nodes while one was away does not ask again (the program makes a new one)"},
	{name: "kafkajs", language: "JavaScript", scenarios: slices.Concat(without(whole, "static"), ended), command: node("kafkajs.js"),
		limits: "it has no static members; its one assignor is eager; with several nodes, a send to several partitions loses those whose leader moves, between two tries, to a node that has answered already (the program sends to one partition at a time)"},
	{name: "tools", language: "Java", scenarios: []string{"create", "console", "perf", "restart"}, command: self("tools"), within: bigWithin},
	{name: "sarama", language: "Go", scenarios: whole, command: module("gomod", "sarama"),
		limits: "a connection of its admin client that a restart cut gives EOF from then on (the program makes a new one for each question)"},
	{name: "kafka-go", language: "Go", scenarios: without(whole, "idempotent", "static"), command: module("gomod", "kafka-go"),
		limits: "it has neither an idempotent producer (so `restart` asks for each record at least once) nor static members; a connection that a restart cut gives EOF to the next request, which the caller repeats"},
	{name: "streams", language: "Java", scenarios: counted, command: streams("processing.guarantee=at_least_once"), within: bigWithin},
	{name: "streams-exact", language: "Java", scenarios: counted, command: streams("processing.guarantee=exactly_once_v2"), within: bigWithin},
	{name: "streams-groups", language: "Java", scenarios: counted, command: streams("group.protocol=streams"), within: bigWithin},
	{name: "streams-groups-exact", language: "Java", scenarios: counted, command: streams("group.protocol=streams", "processing.guarantee=exactly_once_v2"), within: bigWithin},
	{name: "connect-exact", language: "Java", scenarios: exactly, command: self("connect-exact"), within: bigWithin},
	{name: "connect", language: "Java", scenarios: copied, command: self("connect"), within: bigWithin},
	{name: "rskafka", language: "Rust", scenarios: without(plain, "idempotent", "huge"), command: rust("rust", "interop-rskafka"),
		limits: "a client of partitions: it has no groups, no idempotent producer (so `restart` asks for each record at least once), and makes topics without settings"},
	{name: "rust-rdkafka", language: "Rust", scenarios: slices.Concat(whole, []string{"group-eager"}), command: rust("rdkafka", "interop-rdkafka")},
	{name: "confluent-js", language: "JavaScript", scenarios: slices.Concat(whole, []string{"group-eager"}), command: builtNode("confluent.js", confluentPackages), slow: true,
		limits: "its package holds no binary; it is compiled from the sources in it (`-slow`: minutes), linked to the machine's OpenSSL, zlib and zstd, whose headers it needs. Otherwise its install step downloads a binary from the project's release page, which is no package registry. `commitOffsets` resolves before the broker has answered, so what it sends again after a restart may undo a later commit: the program asks for what is committed after each"},
}...)

// javas has a client for each version of the Java library.
func javas() []client {
	var out []client
	for _, v := range javaClients {
		out = append(out, client{name: "java-" + v, language: "Java", scenarios: slices.Concat(whole, []string{"group-eager"}, ended), command: java(v, "Interop")})
	}
	return out
}

// awsClients are SDKs and tools of AWS's.
func awsClients() []client {
	return []client{
		{name: "boto3", language: "Python", scenarios: slices.Concat(queued, []string{"sqs-kafka", "scheduler", "sts", "eventbridge", "sns", "aws-model"}), command: pythonWith(boto3Packages, "aws.py"), within: bigWithin},
		{name: "boto3-old", language: "Python", scenarios: slices.Concat(queued, []string{"scheduler", "sts", "eventbridge", "sns"}), command: pythonWith(oldBoto, "aws.py"), within: bigWithin,
			limits: "from before 2023: it speaks the query protocol and knows neither move tasks nor schedules that delete themselves"},
		{name: "aws-cli", language: "Python", scenarios: []string{"sts", "sqs-queues", "sqs-messages", "scheduler", "eventbridge", "sns"}, command: pythonWith(boto3Packages, "awstool.py"),
			limits: "version 1: for `aws sqs` it forgets AWS_ENDPOINT_URL and wants `--endpoint-url`"},
		{name: "aws-go", language: "Go", scenarios: slices.Concat(queuedShort, []string{"sqs-kafka", "scheduler", "sts", "eventbridge", "sns"}), command: module("awsgo", "aws-go"), within: bigWithin},
		{name: "aws-java", language: "Java", scenarios: slices.Concat(queuedShort, []string{"scheduler", "sts", "eventbridge", "sns"}), command: awsJava, within: bigWithin},
	}
}

func clientNames() string {
	var names []string
	for _, c := range clients {
		names = append(names, c.name)
	}
	return strings.Join(names, ",")
}

// choose gives the clients named in only, where "java" means every version, or those of
// some languages; of neither, all.
func choose(only, languages string, slow bool) ([]client, error) {
	if only != "" && languages != "" {
		return nil, errors.New("clients are chosen by -only or by -languages")
	}
	if only != "" {
		return pick(only, func(c client, name string) bool {
			return c.name == name || name == "java" && strings.HasPrefix(c.name, "java-")
		})
	}
	out, err := clients, error(nil)
	if languages != "" {
		out, err = pick(languages, func(c client, language string) bool { return c.language == language })
	}
	return slices.DeleteFunc(slices.Clone(out), func(c client) bool { return c.slow && !slow }), err
}

// pick gives the clients that each of the names, separated by commas, means.
func pick(names string, means func(client, string) bool) ([]client, error) {
	var out []client
	for name := range strings.SplitSeq(names, ",") {
		before := len(out)
		for _, c := range clients {
			if means(c, name) {
				out = append(out, c)
			}
		}
		if len(out) == before {
			return nil, fmt.Errorf("%q is no client, nor the language of one, as in Go; the clients are %s", name, clientNames())
		}
	}
	return out, nil
}

func newID() string { return strconv.FormatInt(time.Now().UnixNano()%1e9, 36) }

// self runs a client that is written in Go: this program again.
func self(name string) func(context.Context, string) (command, error) {
	return func(ctx context.Context, _ string) (command, error) {
		if name != "go" { // Kafka's jars are installed now, so that it does not count as the client's time
			if _, err := apache.Tools(ctx); err != nil {
				return command{}, err
			}
		}
		exe, err := os.Executable()
		if err != nil {
			return command{}, fmt.Errorf("find this program: %w", err)
		}
		return command{path: exe, args: []string{"client-" + name}, id: newID()}, nil
	}
}

// runClient is the other end of self.
func runClient(ctx context.Context, name, addr, prefix string) error {
	switch name {
	case "go":
		return runFranz(ctx, addr, prefix)
	case "tools":
		return runConsole(ctx, addr, prefix)
	case "connect":
		return runConnect(ctx, addr, prefix)
	case "connect-exact":
		return runConnectExact(ctx, addr, prefix)
	}
	return fmt.Errorf("no client is written in Go under the name %q", name)
}
