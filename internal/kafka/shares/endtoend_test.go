package shares_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/test/rig"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

// node is a running node with a topic of some partitions.
type node struct {
	*ottla.Server
	t     *testing.T
	ctx   context.Context
	o     ottla.Options
	topic string
	asks  *kgo.Client
}

func startNode(t *testing.T, partitions int32) *node {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	// Nothing ends by itself while a test runs, however slow the machine is: no
	// lock, no session, no wait for a request to be taken up.
	const hour = "3600000"
	n := &node{t: t, ctx: ctx, topic: "orders", o: ottla.Options{Dir: t.TempDir(), Faults: new(ottla.Faults), Settings: map[string]string{
		"group.share.record.lock.duration.ms": hour, "group.share.max.record.lock.duration.ms": hour,
		"group.share.session.timeout.ms": hour, "group.share.max.session.timeout.ms": hour,
		"offsets.commit.timeout.ms": hour, "share.coordinator.write.timeout.ms": hour,
	}}}
	n.start()
	t.Cleanup(func() { n.Close() })
	if _, err := n.admin().CreateTopic(ctx, partitions, 1, nil, n.topic); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) start() {
	n.t.Helper()
	s, err := ottla.Start(n.ctx, n.o)
	if err != nil {
		n.t.Fatal(err)
	}
	n.Server = s
}

func (n *node) client(opts ...kgo.Opt) *kgo.Client {
	n.t.Helper()
	c, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(n.Addr()), kgo.MetadataMinAge(10 * time.Millisecond), kgo.FetchMaxWait(200 * time.Millisecond),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, opts...)...)
	if err != nil {
		n.t.Fatal(err)
	}
	n.t.Cleanup(c.Close)
	return c
}

// asNode is a client that has the node's own identity, for what nodes alone may
// ask.
func (n *node) asNode() *kgo.Client {
	n.t.Helper()
	if _, err := n.Token(); err != nil { // makes the identity
		n.t.Fatal(err)
	}
	return n.client(kgo.Dialer(func(ctx context.Context, _, addr string) (net.Conn, error) { return rig.DialAsNode(ctx, n.o.Dir, addr) }))
}

func (n *node) admin() *kadm.Client { return kadm.NewClient(n.client()) }

// configure sets settings of a group.
func (n *node) configure(group string, settings map[string]string) {
	n.t.Helper()
	cl := n.client()
	for name, value := range settings {
		if err := setGroup(n.ctx, cl, group, name, value); err != nil {
			n.t.Fatal(err)
		}
	}
}

// setGroup sets a setting of a group.
func setGroup(ctx context.Context, cl *kgo.Client, group, name, value string) error {
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, group
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = name, &value
	r.Configs = append(r.Configs, c)
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, cl)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(resp.Resources[0].ErrorCode)
}

// produce writes records from to to-1, with a key of so many.
func (n *node) produce(from, to, keys int) {
	n.t.Helper()
	c := n.client()
	var records []*kgo.Record
	for i := from; i < to; i++ {
		records = append(records, &kgo.Record{Topic: n.topic, Key: fmt.Appendf(nil, "k%d", i%keys), Value: fmt.Appendf(nil, "%d", i)})
	}
	if err := c.ProduceSync(n.ctx, records...).FirstErr(); err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) member(group string, opts ...kgo.Opt) *kgo.Client {
	return n.client(append([]kgo.Opt{kgo.ShareGroup(group), kgo.ConsumeTopics(n.topic)}, opts...)...)
}

func TestMembersOfAShareGroupTakeEveryRecordOnce(t *testing.T) {
	n := startNode(t, 3)
	n.configure("g", map[string]string{"share.auto.offset.reset": "earliest"})
	n.produce(0, 3000, 7)
	members := []*kgo.Client{n.member("g"), n.member("g"), n.member("g"), n.member("g")}
	type got struct {
		value string
		count int32
	}
	all := make(chan got, 100)
	for _, m := range members {
		go func() {
			for {
				fs := m.PollRecords(n.ctx, 100)
				if fs.IsClientClosed() || n.ctx.Err() != nil {
					return
				}
				fs.EachError(func(_ string, _ int32, err error) { t.Log(err) })
				fs.EachRecord(func(r *kgo.Record) {
					r.Ack(kgo.AckAccept)
					all <- got{string(r.Value), r.DeliveryCount()}
				})
			}
		}()
	}
	seen := map[string]int{}
	for len(seen) < 3000 {
		select {
		case g := <-all:
			if seen[g.value]++; seen[g.value] > 1 || g.count != 1 {
				t.Fatalf("%s came %d times, delivery %d", g.value, seen[g.value], g.count)
			}
		case <-n.ctx.Done():
			t.Fatalf("%d of 3000 records came", len(seen))
		}
	}
	for _, m := range members {
		if err := m.FlushAcks(n.ctx); err != nil {
			t.Fatal(err)
		}
	}
}

// take polls until a member has so many records, and gives them as texts of
// value and delivery count; each is treated as do says.
func (n *node) take(m *kgo.Client, want int, do func(*kgo.Record)) []string {
	n.t.Helper()
	var out []string
	for len(out) < want {
		fs := m.PollRecords(n.ctx, want-len(out))
		if n.ctx.Err() != nil {
			n.t.Fatalf("%d of %d records came: %v", len(out), want, out)
		}
		fs.EachRecord(func(r *kgo.Record) {
			out = append(out, fmt.Sprintf("%s/%d", r.Value, r.DeliveryCount()))
			if do != nil {
				do(r)
			}
		})
	}
	return out
}

func (n *node) flush(m *kgo.Client) {
	n.t.Helper()
	if err := m.FlushAcks(n.ctx); err != nil {
		n.t.Fatal(err)
	}
}

func accept(r *kgo.Record) { r.Ack(kgo.AckAccept) }

func TestReleasedRecordsComeAgainAndRejectedOnesDoNot(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", map[string]string{"share.auto.offset.reset": "earliest", "share.delivery.count.limit": "2"})
	n.produce(0, 3, 3)
	m := n.member("g")
	got := n.take(m, 3, func(r *kgo.Record) {
		r.Ack(map[string]kgo.AckStatus{"0": kgo.AckAccept, "1": kgo.AckRelease, "2": kgo.AckReject}[string(r.Value)])
	})
	got = append(got, n.take(m, 1, func(r *kgo.Record) { r.Ack(kgo.AckRelease) })...)
	n.produce(3, 4, 3) // 1 was delivered often enough
	got = append(got, n.take(m, 1, accept)...)
	if want := []string{"0/1", "1/1", "2/1", "1/2", "3/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestRecordsOfAMemberThatVanishesGoToAnother(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", map[string]string{"share.auto.offset.reset": "earliest"})
	n.produce(0, 2, 2)
	gone := n.member("g")
	n.take(gone, 2, nil)
	n.o.Faults.CutConnections()
	got := n.take(n.member("g"), 2, accept)
	if want := []string{"0/2", "1/2"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhatWasAcknowledgedStaysSoAcrossARestart(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", map[string]string{"share.auto.offset.reset": "earliest"})
	n.produce(0, 10, 2)
	m := n.member("g")
	n.take(m, 10, func(r *kgo.Record) {
		switch {
		case r.Offset%2 == 0:
			r.Ack(kgo.AckAccept)
		case r.Offset < 5:
			r.Ack(kgo.AckRelease)
		}
	})
	n.flush(m)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	m.Close()
	n.start()
	got := n.take(n.member("g"), 5, accept)
	if want := []string{"1/2", "3/2", "5/1", "7/1", "9/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWhereAGroupBeginsIsKeptBeforeItsFirstAcknowledgement(t *testing.T) {
	n := startNode(t, 1)
	n.produce(0, 3, 2)
	m := n.member("g") // latest
	n.settled("g", 3)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	m.Close()
	n.start()
	n.produce(3, 5, 2)
	if got, want := n.take(n.member("g"), 2, accept), []string{"3/1", "4/1"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// settled waits until a group stands at an offset of partition 0.
func (n *node) settled(group string, start int64) {
	n.t.Helper()
	for {
		if n.offsets(group) == start {
			return
		}
		if n.ctx.Err() != nil {
			n.t.Fatalf("the group stands at %d, want %d", n.offsets(group), start)
		}
	}
}

// offsets is where a group stands in partition 0, -1 when it does nowhere.
func (n *node) offsets(group string) int64 {
	req := kmsg.NewPtrDescribeShareGroupOffsetsRequest()
	g := kmsg.NewDescribeShareGroupOffsetsRequestGroup()
	g.GroupID = group
	req.Groups = append(req.Groups, g)
	resp, err := req.RequestWith(n.ctx, n.control())
	if err != nil {
		return -1
	}
	for _, t := range resp.Groups[0].Topics {
		for _, p := range t.Partitions {
			if t.Topic == n.topic && p.Partition == 0 {
				return p.StartOffset
			}
		}
	}
	return -1
}

// control is a client for questions, made once.
func (n *node) control() *kgo.Client {
	if n.asks == nil {
		n.asks = n.client()
	}
	return n.asks
}

func TestRecordsOfAKeyComeOneAtATimeAndInOrder(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", map[string]string{"share.auto.offset.reset": "earliest", "share.key.ordering": "true", "share.retry.backoff.ms": "50"})
	n.produce(0, 200, 5)
	type got struct {
		key   string
		value int
		count int32
	}
	all := make(chan got)
	for range 3 {
		m := n.member("g")
		go func() {
			for n.ctx.Err() == nil {
				m.PollRecords(n.ctx, 10).EachRecord(func(r *kgo.Record) {
					v, _ := strconv.Atoi(string(r.Value))
					all <- got{string(r.Key), v, r.DeliveryCount()}
					if v%9 == 0 && r.DeliveryCount() == 1 {
						r.Ack(kgo.AckRelease)
					} else {
						r.Ack(kgo.AckAccept)
					}
				})
			}
		}()
	}
	next := map[string]int{}
	for done := 0; done < 200; {
		select {
		case g := <-all:
			want := next[g.key]
			if want == 0 {
				want = int(g.key[1] - '0')
			}
			if g.value != want {
				t.Fatalf("key %s gave %d, want %d", g.key, g.value, want)
			}
			if g.value%9 != 0 || g.count > 1 {
				next[g.key] = want + 5
				done++
			} else {
				next[g.key] = want
			}
		case <-n.ctx.Done():
			t.Fatalf("%d of 200 are done: %v", done, next)
		}
	}
}

func TestWhatIsGivenUpBecomesADeadLetter(t *testing.T) {
	for _, tc := range []struct {
		copies string // errors.deadletterqueue.copy.record.enable, empty for unset
		value  string
	}{{"", "1"}, {"true", "1"}, {"false", ""}} {
		n := startNode(t, 1)
		yes := "true"
		if _, err := n.admin().CreateTopic(n.ctx, 1, 1, map[string]*string{"errors.deadletterqueue.group.enable": &yes}, "dlq.orders"); err != nil {
			t.Fatal(err)
		}
		settings := map[string]string{"share.auto.offset.reset": "earliest", "share.delivery.count.limit": "2", "errors.deadletterqueue.topic.name": "dlq.orders"}
		if tc.copies != "" {
			settings["errors.deadletterqueue.copy.record.enable"] = tc.copies
		}
		n.configure("g", settings)
		n.produce(0, 3, 3)
		m := n.member("g")
		n.take(m, 4, func(r *kgo.Record) { // 2 comes twice
			r.Ack(map[string]kgo.AckStatus{"0": kgo.AckAccept, "1": kgo.AckReject, "2": kgo.AckRelease}[string(r.Value)])
		})
		n.flush(m)
		reader := n.client(kgo.ConsumeTopics("dlq.orders"))
		letters := map[string]map[string]string{}
		for len(letters) < 2 {
			reader.PollFetches(n.ctx).EachRecord(func(r *kgo.Record) {
				heads := map[string]string{"value": string(r.Value)}
				for _, h := range r.Headers {
					heads[h.Key] = string(h.Value)
				}
				letters[heads["__dlq.errors.offset"]] = heads
			})
			if n.ctx.Err() != nil {
				t.Fatalf("letters %v", letters)
			}
		}
		rejected := letters["1"]
		if rejected["__dlq.errors.topic"] != n.topic || rejected["__dlq.errors.partition"] != "0" || rejected["__dlq.errors.group"] != "g" ||
			rejected["__dlq.errors.delivery.count"] != "1" || rejected["value"] != tc.value || letters["2"]["__dlq.errors.delivery.count"] != "2" ||
			rejected["__dlq.errors.message"] == letters["2"]["__dlq.errors.message"] {
			t.Errorf("copies %q: letters %v", tc.copies, letters)
		}
		n.settled("g", 3)
	}
}

func TestWithoutAPlaceForDeadLettersRecordsAreGivenUpAllTheSame(t *testing.T) {
	n := startNode(t, 1)
	n.configure("g", map[string]string{"share.auto.offset.reset": "earliest", "errors.deadletterqueue.topic.name": "dlq.nowhere"})
	n.produce(0, 2, 2)
	m := n.member("g")
	n.take(m, 2, func(r *kgo.Record) { r.Ack(kgo.AckReject) })
	n.flush(m)
	n.settled("g", 2)
}
