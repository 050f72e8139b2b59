package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/cli/fail"
)

// givingUp is a node with a topic orders of two partitions and a share group
// shop that has rejected all its records, of keys k0 to k2, so many as given.
func givingUp(t *testing.T, records int, settings ...string) *ottla.Server {
	t.Helper()
	n := node(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	t.Cleanup(cancel)
	call(t, n, "", "topic", "create", "orders", "--partitions", "2").mustHold(t, 0)
	call(t, n, "", "topic", "create", "dlq.orders", "--partitions", "2", "--config", "errors.deadletterqueue.group.enable=true").mustHold(t, 0)
	c, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, s := range append([]string{"share.auto.offset.reset=earliest", "errors.deadletterqueue.topic.name=dlq.orders"}, settings...) {
		setShop(ctx, t, c, s)
	}
	for i := range records {
		r := &kgo.Record{Topic: "orders", Partition: int32(i % 2), Key: fmt.Appendf(nil, "k%d", i%3), Value: fmt.Appendf(nil, "v%d", i),
			Headers: []kgo.RecordHeader{{Key: "mine", Value: []byte("h")}}}
		if err := c.ProduceSync(ctx, r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	reject(ctx, t, n, records)
	return n
}

func setShop(ctx context.Context, t *testing.T, c *kgo.Client, setting string) {
	t.Helper()
	name, value, _ := strings.Cut(setting, "=")
	setGroup(ctx, t, c, "shop", name, value)
}

// reject rejects so many records of orders as group shop, and waits until their
// letters are written.
func reject(ctx context.Context, t *testing.T, n *ottla.Server, records int) {
	t.Helper()
	m, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.ShareGroup("shop"), kgo.ConsumeTopics("orders"), kgo.MetadataMinAge(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	a := kadm.NewClient(m)
	before := letterCount(ctx, t, a)
	for got := 0; got < records; {
		fs := m.PollRecords(ctx, 100)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d of %d records came: %v", got, records, err)
		}
		fs.EachRecord(func(r *kgo.Record) { r.Ack(kgo.AckReject); got++ })
	}
	leaver, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer leaver.Close()
	m.Close() // flushes what was acknowledged
	for letterCount(ctx, t, kadm.NewClient(leaver)) < before+int64(records) {
		if err := ctx.Err(); err != nil {
			t.Fatalf("the letters do not come: %v", err)
		}
	}
}

func letterCount(ctx context.Context, t *testing.T, a *kadm.Client) (n int64) {
	t.Helper()
	ends, err := a.ListEndOffsets(ctx, "dlq.orders")
	if err != nil {
		t.Fatal(err)
	}
	ends.Each(func(o kadm.ListedOffset) { n += o.Offset })
	return n
}

// orders are all records of orders, as partition:key=value.
func orders(t *testing.T, n *ottla.Server, topic string) string {
	t.Helper()
	r := call(t, n, "", "consume", topic, "--exit", "--read-committed", "-f", `%p:%k=%v[%h] `)
	return r.out
}

func TestDeadLettersAreListedShownAndPutBack(t *testing.T) {
	n := givingUp(t, 6)
	call(t, n, "", "dlq", "list").mustHold(t, 0, "PLACE", "dlq.orders", "shop", "OLDEST", "6: the record was rejected by a member")
	if r := call(t, n, "", "dlq", "list", "-o", "template={{.topic}} {{.kind}} {{.groups}} {{.waiting}}"); r.out != "dlq.orders topic [shop] 6\n" {
		t.Errorf("list: %q", r.out)
	}
	const row = "template={{.origin}} {{.group}} {{.deliveries}} {{.reason}} {{.key}}={{.value}}"
	call(t, n, "", "dlq", "show", "shop", "-o", row).mustHold(t, 0, "orders-0@0 shop 1 the record was rejected by a member k0=v0\n", "orders-1@2 shop 1 the record was rejected by a member k2=v5\n")
	call(t, n, "", "dlq", "show", "dlq.orders").mustHold(t, 0, "LETTER", "REASON", "orders-0@1")
	if r := call(t, n, "", "dlq", "show", "shop", "-n", "1", "--where", "key=k1", "--where", "partition=0", "-o", row); strings.Count(r.out, "\n") != 1 || !strings.Contains(r.out, "k1=v4") {
		t.Errorf("show with conditions: %q", r.out)
	}

	call(t, n, "", "dlq", "redrive", "shop", "--dry-run").mustHold(t, 0, "would be put back", "6")
	call(t, n, "", "dlq", "redrive", "shop", "--where", "key=k2").mustHold(t, 0, "put back", "2")
	call(t, n, "", "dlq", "show", "shop", "--where", "key=k2").mustHold(t, 0, "no dead letters wait")
	if r := call(t, n, "", "dlq", "show", "shop", "--all", "--where", "key=k2", "-o", "name"); strings.Count(r.out, "\n") != 2 {
		t.Errorf("show --all: %q", r.out)
	}
	if r := call(t, n, "", "dlq", "list", "-o", "template={{.waiting}}"); r.out != "4\n" {
		t.Errorf("after a part was put back %q wait", r.out)
	}
	call(t, n, "", "dlq", "redrive", "dlq.orders", "--rate", "1000", "-o", "ndjson").mustHold(t, 0, `{"topic":"dlq.orders","to":"orders","letters":4,"result":"put back","handle":null}`)
	call(t, n, "", "dlq", "redrive", "dlq.orders").mustHold(t, 0, "no dead letters to put back")
	got := orders(t, n, "orders")
	for i := range 6 {
		if back := fmt.Sprintf("%d:k%d=v%d[mine=h", i%2, i%3, i); strings.Count(got, back) != 2 {
			t.Errorf("%s] stands %d times in the topic, want 2: %s", back, strings.Count(got, back), got)
		}
	}
	if strings.Contains(got, "__dlq.") || !strings.Contains(got, "ottla.redrive.origin=orders-0@0") || !strings.Contains(got, "ottla.redrive.times=1") {
		t.Errorf("the headers of records put back: %s", got)
	}
}

func TestARecordGivenUpAgainKeepsItsFirstOrigin(t *testing.T) {
	n := givingUp(t, 1)
	call(t, n, "", "dlq", "redrive", "shop").mustHold(t, 0, "put back")
	reject(t.Context(), t, n, 1)
	call(t, n, "", "dlq", "show", "shop", "-o", "template={{.origin}}").mustHold(t, 0, "orders-0@1\n")
	call(t, n, "", "dlq", "redrive", "shop").mustHold(t, 0, "put back")
	got := orders(t, n, "orders")
	if strings.Count(got, "ottla.redrive.origin=orders-0@0") != 2 || strings.Count(got, "ottla.redrive.times=2") != 1 || strings.Count(got, "ottla.redrive.letter=dlq.orders-0@1") != 1 {
		t.Errorf("got %s", got)
	}
}

func TestLettersThatOnlyNameTheirRecordBringItBack(t *testing.T) {
	n := givingUp(t, 2, "errors.deadletterqueue.copy.record.enable=false")
	if r := call(t, n, "", "dlq", "show", "shop", "-o", "template={{.key}}"); r.out != "<nil>\n<nil>\n" && r.out != "<no value>\n<no value>\n" {
		t.Errorf("show: %q", r.out)
	}
	call(t, n, "", "dlq", "redrive", "shop").mustHold(t, 0, "put back", "2")
	if got := orders(t, n, "orders"); strings.Count(got, "k0=v0[mine=h") != 2 || strings.Count(got, "k1=v1[mine=h") != 2 {
		t.Errorf("got %s", got)
	}
}

func TestLettersThatCannotBePutBackStay(t *testing.T) {
	n := givingUp(t, 2)
	call(t, n, "", "topic", "delete", "orders").mustHold(t, 0)
	call(t, n, "", "dlq", "redrive", "shop", "--timeout", "5s").mustHold(t, fail.Failed, "2 letters could not be put back and still wait", "--to")
	call(t, n, "", "topic", "create", "again").mustHold(t, 0)
	call(t, n, "", "dlq", "redrive", "shop", "--to", "again").mustHold(t, 0, "again", "put back")
	if got := orders(t, n, "again"); !strings.Contains(got, "k0=v0") || !strings.Contains(got, "k1=v1") {
		t.Errorf("got %s", got)
	}
}

func TestWhatIsNoDeadLetterIsRefused(t *testing.T) {
	n := node(t)
	call(t, n, "", "dlq", "list").mustHold(t, 0, "nobody has a place for dead letters")
	call(t, n, "", "dlq", "show", "nobody").mustHold(t, fail.NotFound, "there are no dead letters of nobody", "ottla dlq list")
	call(t, n, "", "dlq", "redrive", "nobody").mustHold(t, fail.NotFound, "there are no dead letters of nobody")
	call(t, n, "", "dlq", "redrive").mustHold(t, fail.Usage)
	for args, want := range map[string]string{"show x --where colour=red": "letters are chosen by", "show x --where key": "no condition", "redrive x --where partition=z": "number", "redrive x --rate -1": "--rate", "show x -n -1": "-n"} {
		call(t, n, "", append([]string{"dlq"}, strings.Fields(args)...)...).mustHold(t, fail.Usage, want)
	}
}

func TestJSONOfDeadLettersKeepsItsNames(t *testing.T) {
	n := givingUp(t, 1)
	for args, want := range map[string]string{
		"dlq list":                   "place kind topic groups exists waiting in_flight oldest oldest_seconds age reasons",
		"dlq show shop":              "letter topic partition offset time age_seconds age origin origin_topic origin_partition origin_offset group deliveries reason condition until id key key_base64 value value_base64 headers",
		"dlq redrive shop --dry-run": "topic to letters result handle",
	} {
		r := call(t, n, "", append(strings.Fields(args), "-o", "ndjson")...)
		first, _, _ := strings.Cut(r.out, "\n")
		var fields map[string]json.RawMessage
		if err := json.Unmarshal([]byte(first), &fields); err != nil || r.code != 0 {
			t.Errorf("%s: %v, exit code %d\n%s%s", args, err, r.code, r.out, r.err)
			continue
		}
		at := -1
		for name := range strings.FieldsSeq(want) {
			next := strings.Index(first, `"`+name+`":`)
			if next <= at {
				t.Errorf("%s: %q is missing or out of order in %s", args, name, first)
			}
			at = next
		}
		if got := len(strings.Fields(want)); len(fields) != got {
			t.Errorf("%s: %d fields, want %d: %s", args, len(fields), got, first)
		}
	}
}

func TestShareGroupsAreDescribed(t *testing.T) {
	n := givingUp(t, 3)
	call(t, n, "", "produce", "orders", "--partition", "0", "late").mustHold(t, 0)
	call(t, n, "", "group", "describe", "shop").mustHold(t, 0, "shop  Empty  share", "0 members", "1 record behind", "orders")
	if r := call(t, n, "", "group", "describe", "shop", "-o", "template={{.topic}}-{{.partition}} {{.committed}} {{.end_offset}} {{.lag}}"); r.out != "orders-0 2 3 1\norders-1 1 1 0\n" {
		t.Errorf("describe: %q", r.out)
	}
	if r := call(t, n, "", "group", "list", "-o", "template={{.group}} {{.type}} {{.members}} {{.lag}}"); !strings.Contains(r.out, "shop share 0 1\n") {
		t.Errorf("list: %q", r.out)
	}
	m, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.ClientID("till"), kgo.ShareGroup("shop"), kgo.ConsumeTopics("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for got := 0; got == 0; {
		fs := m.PollRecords(t.Context(), 1)
		if t.Context().Err() != nil {
			t.Fatal("the late record does not come")
		}
		got = fs.NumRecords()
	}
	call(t, n, "", "group", "describe", "shop").mustHold(t, 0, "shop  Stable", "1 member", "till", "127.0.0.1")
	call(t, n, "", "group", "reset", "shop", "--to", "start", "--dry-run").mustHold(t, 0, "would be reset")
}

func TestARedriveThatIsEndedGoesOnWhereItStopped(t *testing.T) {
	n := givingUp(t, 12)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int)
	go func() {
		var out, errOut strings.Builder
		ended <- Run(ctx, []string{"dlq", "redrive", "shop", "--rate", "20", "-b", n.Addr()}, strings.NewReader(""), &out, &errOut)
	}()
	wait := soon(t)
	for call(t, n, "", "dlq", "list", "-o", "template={{.waiting}}").out == "12\n" { // until some are back
		if wait.Err() != nil {
			t.Fatal("nothing is put back")
		}
	}
	cancel()
	code := <-ended
	var waiting int
	r := call(t, n, "", "dlq", "list", "-o", "template={{.waiting}}")
	if _, err := fmt.Sscan(r.out, &waiting); err != nil || waiting >= 12 || (code == 0) != (waiting == 0) {
		t.Fatalf("exit code %d, %q wait: %v", code, r.out, err)
	}
	call(t, n, "", "dlq", "redrive", "shop").mustHold(t, 0)
	got := orders(t, n, "orders")
	for i := range 12 {
		if v := fmt.Sprintf("=v%d[", i); strings.Count(got, v) != 2 {
			t.Errorf("%s] stands %d times in the topic, want 2: %s", v, strings.Count(got, v), got)
		}
	}
	call(t, n, "", "dlq", "redrive", "shop", "--to", "dlq.orders").mustHold(t, fail.Usage, "where the letters are")
}

func TestALetterOfAShareGroupIsMendedAndPutBack(t *testing.T) {
	n := givingUp(t, 3)
	call(t, n, "mended", "dlq", "edit", "dlq.orders-0@1", "--body", "-").mustHold(t, 0, "dlq.orders-0@1", "orders-0@", "mended and put back")
	call(t, n, "", "dlq", "show", "shop", "-o", "template={{.letter}}").mustHold(t, 0, "dlq.orders-0@0\n", "dlq.orders-1@0\n")
	got := orders(t, n, "orders")
	if strings.Count(got, "0:k2=mended[mine=h") != 1 || strings.Count(got, "0:k2=v2[") != 1 {
		t.Errorf("got %s", got)
	}
	call(t, n, "again", "dlq", "edit", "dlq.orders-0@1", "--body", "-").mustHold(t, fail.NotFound, "there is no dead letter dlq.orders-0@1")
	call(t, n, "", "dlq", "edit", "dlq.orders", "--body", "-").mustHold(t, fail.Usage, "names no letter")
	call(t, n, "", "dlq", "edit", "dlq.orders-0@0", "--body", "/no/such/file").mustHold(t, fail.Usage, "--body")
	call(t, n, "", "dlq", "redrive", "shop").mustHold(t, 0, "put back", "2")
	if got := orders(t, n, "orders"); strings.Count(got, "=v2[") != 1 {
		t.Errorf("what was mended came back twice: %s", got)
	}
}

func TestAtATerminalARedriveIsAskedFor(t *testing.T) {
	n := givingUp(t, 1)
	// A device that is no file is taken for a terminal; nobody answers there.
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	ask := func(extra ...string) int {
		return Run(t.Context(), append([]string{"dlq", "redrive", "shop", "-b", n.Addr()}, extra...), null, null, null)
	}
	if code := ask(); code != fail.Failed {
		t.Errorf("without an answer: exit code %d", code)
	}
	call(t, n, "", "dlq", "show", "shop", "-o", "name").mustHold(t, 0, "dlq.orders-0@0\n")
	if code := ask("--yes"); code != 0 {
		t.Errorf("--yes: exit code %d", code)
	}
	if code := ask(); code != 0 {
		t.Errorf("with nothing to put back there is something to ask: exit code %d", code)
	}
	call(t, n, "", "dlq", "show", "shop").mustHold(t, 0, "no dead letters wait")
}
