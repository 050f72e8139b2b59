package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
)

// node starts a node in memory for a test of commands.
func node(t *testing.T) *ottla.Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	n, err := ottla.Start(ctx, ottla.Options{Settings: map[string]string{"num.partitions": "3", "group.initial.rebalance.delay.ms": "0"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

type result struct {
	code     int
	out, err string
}

// call runs a command line against n, with in as standard input.
func call(t *testing.T, n *ottla.Server, in string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	var out, errOut bytes.Buffer
	if n != nil {
		args = append(args, "-b", n.Addr())
	}
	code := Run(ctx, args, strings.NewReader(in), &out, &errOut)
	if ctx.Err() != nil {
		t.Errorf("ottla %s does not end", strings.Join(args, " "))
	}
	return result{code, out.String(), errOut.String()}
}

func (r result) mustHold(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.code != code {
		t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", r.code, code, r.out, r.err)
	}
	for _, p := range parts {
		if !strings.Contains(r.out+r.err, p) {
			t.Errorf("the output does not hold %q\nstdout: %s\nstderr: %s", p, r.out, r.err)
		}
	}
}

func TestTopicsThroughTheirLife(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "orders", "--partitions", "2", "--config", "retention.ms=3600000").mustHold(t, 0, "orders", "created")
	call(t, n, "", "topic", "create", "orders").mustHold(t, fail.Failed, "cannot create topic orders", "already exists", "--if-not-exists")
	call(t, n, "", "topic", "create", "orders", "--if-not-exists").mustHold(t, 0, "exists already")
	call(t, n, "", "topic", "create", "orders", "more").mustHold(t, fail.Partly, "more", "created", "cannot create topic orders")
	call(t, n, "", "topic", "list").mustHold(t, 0, "TOPIC", "orders", "more")
	if r := call(t, n, "", "topics", "-o", "name"); r.out != "more\norders\n" {
		t.Errorf("topics -o name: %q", r.out)
	}
	call(t, n, "", "produce", "orders", "a", "b").mustHold(t, 0)
	call(t, n, "", "topic", "describe", "orders").mustHold(t, 0, "retention.ms=3600000", "2 partitions", "PARTITION")
	call(t, n, "", "topic", "alter", "orders", "--partitions", "4").mustHold(t, 0, "altered")
	call(t, n, "", "topic", "alter", "orders", "--partitions", "1").mustHold(t, fail.Failed, "cannot bring orders to 1 partitions")
	call(t, n, "", "topic", "delete", "orders", "--dry-run").mustHold(t, 0, "would be deleted", "2")
	call(t, n, "", "topic", "delete", "orders").mustHold(t, 0, "deleted")
	call(t, n, "", "topic", "describe", "orders").mustHold(t, fail.NotFound, "there is no topic orders", "ottla topic create orders")
	call(t, n, "", "topic", "create", "x", "--dry-run").mustHold(t, 0, "could be created")
	call(t, n, "", "topic", "describe", "x").mustHold(t, fail.NotFound)
}

func TestRecordsGoInAndComeOut(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--partitions", "1").mustHold(t, 0)
	call(t, n, "one\ntwo\n", "produce", "t").mustHold(t, 0)
	call(t, n, "k:three\n", "produce", "t", "--key-separator", ":", "-H", "source=test").mustHold(t, 0)
	call(t, n, "", "produce", "t", "--key", "gone", "--null").mustHold(t, 0)
	r := call(t, n, "", "consume", "t", "--exit", "-f", `%p %o %k=%v [%h]\n`)
	if want := "0 0 =one []\n0 1 =two []\n0 2 k=three [source=test]\n0 3 gone= []\n"; r.out != want {
		t.Errorf("got %q, want %q", r.out, want)
	}
	if r := call(t, n, "", "consume", "t", "--from", "-2", "-n", "1", "-f", "%v"); r.out != "three" {
		t.Errorf("--from -2 -n 1: got %q", r.out)
	}
	if r := call(t, n, "", "consume", "t", "--from", "1", "--until", "2", "--exit", "-f", "%v"); r.out != "two" {
		t.Errorf("--from 1 --until 2: got %q", r.out)
	}
	if r := call(t, n, "", "consume", "t", "--from", "@-1h", "--exit", "-n", "1", "-f", "%v"); r.out != "one" {
		t.Errorf("--from @-1h: got %q", r.out)
	}
	if r := call(t, n, "", "consume", "t", "--from", "end", "--exit"); r.out != "" || r.code != 0 {
		t.Errorf("--from end: got %q", r.out)
	}
	call(t, n, "", "consume", "nothing", "--exit").mustHold(t, fail.NotFound, "there is no topic nothing")
	call(t, n, "", "consume", "t", "--partition", "9", "--exit").mustHold(t, fail.NotFound, "no partition 9")
}

func TestWhatConsumeWritesProduceTakesBack(t *testing.T) {
	n := node(t)
	for _, topic := range []string{"a", "b"} {
		call(t, n, "", "topic", "create", topic, "--partitions", "1").mustHold(t, 0)
	}
	call(t, n, "x\n\n\xff\xfe\n", "produce", "a").mustHold(t, 0)
	call(t, n, "", "produce", "a", "--null").mustHold(t, 0)
	first := call(t, n, "", "consume", "a", "--exit", "-o", "ndjson")
	call(t, n, first.out, "produce", "b", "--input", "ndjson").mustHold(t, 0)
	second := call(t, n, "", "consume", "b", "--exit", "-o", "ndjson")
	if want := strings.ReplaceAll(first.out, `"topic":"a"`, `"topic":"b"`); second.out != want {
		t.Errorf("got\n%s\nwant\n%s", second.out, want)
	}
	call(t, n, "{\"valu\":1}\n", "produce", "b", "--input", "ndjson").mustHold(t, fail.Usage, "line 1", "valu")
}

func TestSettingsAreShownAndChanged(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t").mustHold(t, 0)
	call(t, n, "", "config", "list", "-t", "t").mustHold(t, 0, "nothing is set")
	call(t, n, "", "config", "set", "retention.ms=1000", "cleanup.policy=delete", "-t", "t").mustHold(t, 0, "altered")
	call(t, n, "", "config", "list", "-t", "t").mustHold(t, 0, "retention.ms", "1000", "topic")
	call(t, n, "", "config", "set", "retention.m=1", "-t", "t").mustHold(t, fail.Failed, "retention.m")
	call(t, n, "", "config", "unset", "retention.ms", "-t", "t").mustHold(t, 0)
	if r := call(t, n, "", "config", "list", "-t", "t", "-o", "name"); r.out != "cleanup.policy\n" {
		t.Errorf("after unset: %q", r.out)
	}
	call(t, n, "", "config", "list", "--broker", "1", "--all").mustHold(t, 0, "num.partitions", "3", "log.segment.bytes")
	call(t, n, "", "config", "set", "log.retention.ms=5000").mustHold(t, 0)
	call(t, n, "", "config", "list", "-t", "t", "--all").mustHold(t, 0, "5000")
	call(t, n, "", "config", "list", "-t", "none").mustHold(t, fail.NotFound)
}

func TestMachineOutputIsJSON(t *testing.T) {
	n := node(t)
	call(t, n, "", "topic", "create", "t", "--partitions", "1").mustHold(t, 0)
	var rows []struct {
		Topic    string `json:"topic"`
		Internal *bool  `json:"internal"`
	}
	r := call(t, n, "", "topic", "list", "-o", "json")
	if err := json.Unmarshal([]byte(r.out), &rows); err != nil || len(rows) != 1 || rows[0].Topic != "t" || rows[0].Internal == nil {
		t.Errorf("%s: %v", r.out, err)
	}
	var failure struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	}
	r = call(t, n, "", "topic", "describe", "nope", "-o", "json")
	if err := json.Unmarshal([]byte(r.err), &failure); err != nil || failure.Code != fail.NotFound || failure.Message == "" || failure.Hint == "" {
		t.Errorf("%s: %v", r.err, err)
	}
}

func TestWrongCallsAreUsageErrors(t *testing.T) {
	for _, args := range [][]string{
		{"nonsense"}, {"topic", "nonsense"}, {"topic", "create"}, {"topic", "list", "-o", "xml"}, {"topic", "list", "--nope"},
		{"produce"}, {"consume"}, {"config", "set", "x"}, {"serve", "--http", "off"}, {"dev", "--ephemeral", "--fresh"},
		{"serve", "--data", "/tmp/x", "--listen", "0.0.0.0:9092"}, {"serve", "--data", "/tmp/x", "--set", "log.retention.hors=1"},
		{"topic", "alter", "t"}, {"schedule", "show", "-x", "--http", "127.0.0.1:1"}, {"queue", "delete", "-x", "--http", "127.0.0.1:1"},
	} {
		if r := call(t, nil, "", args...); r.code != fail.Usage {
			t.Errorf("%v: exit code %d, want %d (%s)", args, r.code, fail.Usage, r.err)
		}
	}
}

// Names of queues and schedules may begin as flags do.
func TestANameThatBeginsAsAFlagGoesBehindTwoDashes(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	http := []string{"--http", n.HTTPAddr()}
	call(t, nil, "", append(http, "queue", "create", "-zq")...).mustHold(t, fail.Usage, "ottla queue create -- -NAME")
	call(t, nil, "", "queue", "create", http[0], http[1], "--", "-zq").mustHold(t, 0, "-zq")
	schedules(t, n, "", "put", "--every", "1d", "--queue=-zq", "-zq").mustHold(t, fail.Usage, "ottla schedule put -- -NAME")
	for _, args := range [][]string{{"put", "--every", "1d", "--queue=-zq", "--input", "x"}, {"show"}, {"next"}, {"pause"}, {"resume"}, {"delete"}} {
		args = append(append([]string{"schedule"}, args...), http[0], http[1], "--", "-zq")
		call(t, nil, "", args...).mustHold(t, 0)
	}
	call(t, nil, "", "queue", "send", http[0], http[1], "--", "-zq", "-body").mustHold(t, 0)
	call(t, nil, "", "queue", "delete", http[0], http[1], "--", "-zq").mustHold(t, 0)
}

func TestVersionNamesTheProtocol(t *testing.T) {
	call(t, nil, "", "version").mustHold(t, 0, ask.Version, ask.KafkaRelease)
}

// serving runs a node's command until stop is called, and waits for its ready
// line.
func serving(t *testing.T, args ...string) (address string, stop func() result) {
	t.Helper()
	address, _, stop = servingText(t, args...)
	return address, stop
}

// servingText is serving, with what the command has written by then.
func servingText(t *testing.T, args ...string) (address, text string, stop func() result) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	var errOut bytes.Buffer
	done := make(chan int, 1)
	go func() {
		done <- Run(ctx, args, strings.NewReader(""), w, &errOut)
		w.Close()
	}()
	var seen strings.Builder
	buf := make([]byte, 4096)
	for !strings.Contains(seen.String(), "\nready kafka=") && !strings.HasPrefix(seen.String(), "ready kafka=") {
		k, err := r.Read(buf)
		seen.Write(buf[:k])
		if err != nil {
			cancel()
			t.Fatalf("the node ended before it was ready: %s\n%s", seen.String(), errOut.String())
		}
	}
	_, rest, _ := strings.Cut(seen.String(), "ready kafka=")
	address, _, _ = strings.Cut(rest, " ")
	stopped := false
	stop = func() result {
		if stopped {
			return result{}
		}
		stopped = true
		cancel()
		code := <-done
		r.Close()
		return result{code, seen.String(), errOut.String()}
	}
	t.Cleanup(func() { stop() })
	return address, seen.String(), stop
}

func TestServeKeepsDataBetweenRuns(t *testing.T) {
	dir := t.TempDir()
	args := []string{"serve", "--data", dir, "--listen", "127.0.0.1:0", "--http", "off"}
	addr, stop := serving(t, args...)
	call(t, nil, "", "produce", "kept", "hello", "-b", addr).mustHold(t, 0)
	stop().mustHold(t, 0)
	addr, stop = serving(t, args...)
	if r := call(t, nil, "", "consume", "kept", "--exit", "-f", "%v", "-b", addr); r.out != "hello" {
		t.Errorf("after the restart: %+v", r)
	}
	second := call(t, nil, "", args...)
	second.mustHold(t, fail.Failed, "in use")
	stop().mustHold(t, 0)
}

func TestDevShowsTheWayIn(t *testing.T) {
	dir := t.TempDir()
	addr, stop := serving(t, "dev", "--data", filepath.Join(dir, "d"), "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
	call(t, nil, "", "produce", "orders", "x", "-b", addr).mustHold(t, 0)
	stop().mustHold(t, 0, "single node, development mode", "ottla produce orders -b "+addr, "new; kept between runs", "durable as in production")
	addr, stop = serving(t, "dev", "--fresh", "--data", filepath.Join(dir, "d"), "--listen", "127.0.0.1:0", "--http", "off")
	call(t, nil, "", "topic", "list", "-b", addr).mustHold(t, 0, "no topics yet")
	stop().mustHold(t, 0)
	_, stop = serving(t, "dev", "--ephemeral", "--listen", "127.0.0.1:0", "--http", "off")
	r := stop()
	r.mustHold(t, 0, "in memory, forgotten at the end", "lost with the process")
	if strings.Contains(r.out, "durable") {
		t.Errorf("what is in memory is called durable: %s", r.out)
	}
}

// What the banner says of queues, schedules, events and AWS works as it stands there.
func TestTheCommandsOfTheBannerWork(t *testing.T) {
	_, text, _ := servingText(t, "dev", "--ephemeral", "--listen", "127.0.0.1:0", "--http", "127.0.0.1:0")
	first := func(from string) (line, address string) {
		for l := range strings.Lines(text) {
			if words := strings.Fields(l); len(words) > 1 && words[0] == from {
				return l, strings.TrimPrefix(words[1], "http://")
			}
		}
		t.Fatalf("the banner has no line %s:\n%s", from, text)
		return "", ""
	}
	queues, at := first("Queues")
	schedules, _ := first("Schedules")
	events, _ := first("Events")
	aws, _ := first("AWS")
	for _, c := range []struct{ line, from, to, want string }{
		{queues, "ottla queue create", ",", "jobs"},
		{queues, "ottla dlq list", "\n", ""},
		{schedules, "ottla schedule put", "\n", "rate(5 seconds)"},
		{events, "ottla event put", ",", "default"},
		{aws, "ottla aws env", ")", "AWS_ENDPOINT_URL"},
	} {
		_, words, ok := strings.Cut(c.line, c.from)
		words, _, _ = strings.Cut(words, c.to)
		if !ok || !strings.Contains(words, "--http "+at) {
			t.Errorf("%q: want %s with --http %s", c.line, c.from, at)
			continue
		}
		args := strings.Fields(strings.ReplaceAll(strings.TrimPrefix(c.from, "ottla ")+words, "'", ""))
		call(t, nil, "", args...).mustHold(t, 0, c.want)
	}
}

func TestFreshRefusesWhatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, "thesis.txt")
	if err := os.WriteFile(precious, []byte("years of work"), 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, nil, "", "dev", "--fresh", "--data", dir, "--listen", "127.0.0.1:0").mustHold(t, fail.Failed, "--fresh did not delete")
	if _, err := os.Stat(precious); err != nil {
		t.Errorf("--fresh deleted a file that was not ours: %v", err)
	}
}

func TestKafkasOwnDirectoryIsNotServedButImported(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "orders-0"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "meta.properties"), []byte("version=1\nnode.id=1\ncluster.id=C\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"serve", "dev"} {
		r := call(t, nil, "", how, "--data", dir, "--listen", "127.0.0.1:0", "--http", "off")
		r.mustHold(t, fail.Failed, "error: the data directory cannot be used\n", "why: "+dir+" holds logs of Apache Kafka",
			"try: stop Kafka, bring its logs into a new directory with \"ottla log import "+dir+" --data "+dir+"-ottla\"")
	}
	if _, err := os.Stat(filepath.Join(dir, "ottla.properties")); err == nil {
		t.Error("the directory was marked as ours")
	}
}

func TestABusyPortNamesItsOwner(t *testing.T) {
	n := node(t)
	call(t, nil, "", "serve", "--data", t.TempDir(), "--listen", n.Addr(), "--http", "off").
		mustHold(t, fail.Failed, "the Kafka port "+n.Addr()+" is in use by process")
}

func TestAServerPropertiesFileStartsANode(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "server.properties")
	text := "process.roles=broker,controller\nnode.id=7\ncontroller.quorum.voters=7@localhost:9093\n" +
		"listeners=PLAINTEXT://127.0.0.1:0,CONTROLLER://127.0.0.1:0\ncontroller.listener.names=CONTROLLER\n" +
		"log.dirs=" + filepath.Join(dir, "data") + "\nnum.network.threads=3\nlog.retention.hours=24\nnum.partitions=2\n"
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	addr, stop := serving(t, "serve", "--config", file, "--http", "off")
	call(t, nil, "", "topic", "create", "t", "-b", addr).mustHold(t, 0, "2")
	call(t, nil, "", "config", "list", "--broker", "7", "-b", addr).mustHold(t, 0, "log.retention.hours", "24")
	stop().mustHold(t, 0, "num.network.threads", "no effect")
	refused := text + "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
	if err := os.WriteFile(file, []byte(refused), 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, nil, "", "serve", "--config", file, "--http", "off").mustHold(t, fail.Usage, "authorizer.class.name")
}

func TestNounsTakeShortVerbs(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	at := []string{"--http", n.HTTPAddr()}
	call(t, n, "", append([]string{"queue", "create", "q"}, at...)...).mustHold(t, 0)
	call(t, n, "", append([]string{"queue", "ls"}, at...)...).mustHold(t, 0, "NAME", "q")
	call(t, n, "", append([]string{"queue", "rm", "q", "--yes"}, at...)...).mustHold(t, 0, "deleted")
	call(t, n, "", append([]string{"rule", "ls"}, at...)...).mustHold(t, 0, "rules")
	call(t, n, "", "topic", "ls").mustHold(t, 0, "TOPIC")
}
