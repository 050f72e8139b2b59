package tail_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/place"
	"ottla/internal/event/tail"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

// patience bounds what a test waits for; it is met only when something is wrong.
const patience = 2 * time.Minute

// rig is a node in memory.
type rig struct {
	*testing.T
	node *server.Server
	tail *tail.Service
}

func newRig(t *testing.T, settings map[string]string) *rig {
	t.Helper()
	r := &rig{T: t}
	static, err := config.StaticOf("test", settings)
	r.must(err)
	c := &clock.Clock{}
	r.node, err = server.Start(r.ctx(), server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: c.Now, Live: time.Now, Clock: c, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test",
	})
	r.must(err)
	t.Cleanup(func() { r.must(r.node.Close()) })
	r.tail = tail.New(tail.Options{Client: r.client, Partitions: func(string) int { return 0 }, MostStreams: 2})
	t.Cleanup(r.tail.Close)
	return r
}

func (r *rig) client(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(r.node.KafkaAddr()), kgo.Dialer(func(ctx context.Context, _, _ string) (net.Conn, error) { return r.node.Dial(ctx) }),
		kgo.MetadataMinAge(10 * time.Millisecond),
	}, opts...)...)
}

func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.Cleanup(cancel)
	return ctx
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// topic makes a topic.
func (r *rig) topic(name string, partitions int32, settings map[string]*string) {
	r.Helper()
	c, err := r.client()
	r.must(err)
	defer c.Close()
	made, err := kadm.NewClient(c).CreateTopic(r.ctx(), partitions, 1, settings, name)
	r.must(err)
	r.must(made.Err)
}

// write writes values into a partition; timestamps go up by a second a value.
func (r *rig) write(topic string, partition int32, values ...string) {
	r.Helper()
	var all []*kgo.Record
	for _, v := range values {
		all = append(all, &kgo.Record{Partition: partition, Value: []byte(v)})
	}
	r.written(r.tail.Write(r.ctx(), topic, all))
}

func (r *rig) written(all []tail.Written, err error) []tail.Written {
	r.Helper()
	r.must(err)
	for _, w := range all {
		r.must(w.Err)
	}
	return all
}

func (r *rig) from(text string) tail.From {
	r.Helper()
	f, err := tail.ParseFrom(text, time.Now())
	r.must(err)
	return f
}

func (r *rig) read(topic, from string, most int) tail.Page {
	r.Helper()
	page, err := r.tail.Read(r.ctx(), topic, tail.Ask{From: r.from(from), Most: most})
	r.must(err)
	return page
}

func values(records []*kgo.Record) string {
	var out []string
	for _, r := range records {
		out = append(out, string(r.Value))
	}
	return strings.Join(out, " ")
}

func TestPagesFollowEachOtherWithoutStateHere(t *testing.T) {
	r := newRig(t, nil)
	r.topic("t", 2, nil)
	at := time.UnixMilli(1000)
	var all []*kgo.Record
	for i := range 6 {
		all = append(all, &kgo.Record{Partition: int32(i % 2), Value: fmt.Append(nil, i), Timestamp: at.Add(time.Duration(i) * time.Second)})
	}
	r.written(r.tail.Write(r.ctx(), "t", all))
	first := r.read("t", "start", 4)
	if got := values(first.Records); got != "0 1 2 3" || !first.More || first.Next.String() != "0:2,1:2" {
		t.Errorf("the first page is %q to %s, more: %v", got, first.Next, first.More)
	}
	second := r.read("t", first.Next.String(), 4)
	if got := values(second.Records); got != "4 5" || second.More {
		t.Errorf("the second page is %q, more: %v", got, second.More)
	}
	if got := r.read("t", second.Next.String(), 4); len(got.Records) != 0 || !reflect.DeepEqual(got.Next, second.Next) {
		t.Errorf("behind the end there is %q to %s", values(got.Records), got.Next)
	}
	for from, want := range map[string]string{"-1": "4 5", "end": "", "1": "2 3 4 5", "@3500": "3 4 5", "1970-01-01T00:00:05Z": "4 5", "0:3": "1 3 5", "99": "", "0:99,1:99": ""} {
		if got := values(r.read("t", from, 10).Records); got != want {
			t.Errorf("from %s there is %q, want %q", from, got, want)
		}
	}
}

func TestWhatIsNotCommittedIsNotRead(t *testing.T) {
	r := newRig(t, nil)
	r.topic("t", 1, nil)
	r.write("t", 0, "a")
	c, err := r.client(kgo.TransactionalID("x"), kgo.DefaultProduceTopic("t"))
	r.must(err)
	defer c.Close()
	r.must(c.BeginTransaction())
	r.must(c.ProduceSync(r.ctx(), kgo.StringRecord("aborted")).FirstErr())
	r.must(c.EndTransaction(r.ctx(), kgo.TryAbort))
	page := r.read("t", "start", 10)
	if got := values(page.Records); got != "a" || page.Next.String() != "0:3" {
		t.Errorf("read %q to %s, want a, to behind the marker", got, page.Next)
	}
	r.must(c.BeginTransaction())
	r.must(c.ProduceSync(r.ctx(), kgo.StringRecord("open")).FirstErr())
	if got := r.read("t", "start", 10); values(got.Records) != "a" {
		t.Errorf("of an open transaction was read %q", values(got.Records))
	}
	r.must(c.EndTransaction(r.ctx(), kgo.TryCommit))
	if got := r.read("t", page.Next.String(), 10); values(got.Records) != "open" {
		t.Errorf("of a committed transaction was read %q", values(got.Records))
	}
}

func TestAReaderWaitsForTheFirstRecord(t *testing.T) {
	r := newRig(t, nil)
	r.topic("t", 1, nil)
	r.write("t", 0, "old")
	type answer struct {
		page tail.Page
		err  error
	}
	came := make(chan answer, 1)
	asked := make(chan struct{}, 1)
	go func() {
		page, err := r.tail.Read(r.ctx(), "t", tail.Ask{From: tail.From{Kind: tail.Exact, Cursor: tail.Cursor{0: 1}}, Most: 10, Wait: patience,
			Keep: func(rec *kgo.Record) bool {
				if string(rec.Value) == "look" {
					asked <- struct{}{}
				}
				return string(rec.Value) == "new"
			}})
		came <- answer{page, err}
	}()
	r.write("t", 0, "look")
	<-asked
	r.write("t", 0, "new")
	a := <-came
	r.must(a.err)
	if values(a.page.Records) != "new" || a.page.Next.String() != "0:3" {
		t.Errorf("it got %q to %s", values(a.page.Records), a.page.Next)
	}
}

func TestAStreamGoesOnWhereItWasLeft(t *testing.T) {
	r := newRig(t, nil)
	r.topic("t", 2, nil)
	r.write("t", 0, "a", "b")
	r.write("t", 1, "c")
	read := func(from tail.From, n int) (got map[string]bool, at tail.Cursor) {
		st, err := r.tail.Stream(r.ctx(), "t", from)
		r.must(err)
		defer st.Close()
		got = map[string]bool{}
		for range n {
			rec, err := st.Next(r.ctx())
			r.must(err)
			got[string(rec.Value)] = true
		}
		return got, st.Cursor()
	}
	first, at := read(r.from("start"), 2)
	second, _ := read(r.from(at.String()), 1)
	for v := range second {
		first[v] = true
	}
	if len(first) != 3 {
		t.Errorf("of a, b and c two streams gave %v", first)
	}
}

func TestReadersThatWaitAreBounded(t *testing.T) {
	r := newRig(t, nil)
	r.topic("t", 1, nil)
	var open []*tail.Stream
	for range 2 {
		st, err := r.tail.Stream(r.ctx(), "t", r.from("end"))
		r.must(err)
		open = append(open, st)
	}
	if _, err := r.tail.Stream(r.ctx(), "t", r.from("end")); !errors.Is(err, tail.ErrBusy) {
		t.Errorf("the third of two streams: %v", err)
	}
	open[0].Close()
	open[0].Close()
	st, err := r.tail.Stream(r.ctx(), "t", r.from("end"))
	r.must(err)
	st.Close()
	open[1].Close()
}

func TestATopicIsMadeOnlyWhereTheClusterMakesThem(t *testing.T) {
	r := newRig(t, map[string]string{"auto.create.topics.enable": "true"})
	r.write("made", place.Anywhere, "x")
	if _, err := r.tail.Read(r.ctx(), "other", tail.Ask{Most: 1}); !errors.Is(err, tail.ErrNotFound) {
		t.Errorf("reading what is not there: %v", err)
	}
	for topic, want := range map[string]error{"a b": tail.ErrInvalid, "__ottla_objects": tail.ErrInvalid} {
		if _, err := r.tail.Write(r.ctx(), topic, []*kgo.Record{{Value: []byte("x")}}); !errors.Is(err, want) {
			t.Errorf("writing to %q: %v, want %v", topic, err, want)
		}
	}
	if _, err := r.tail.Write(r.ctx(), "made", []*kgo.Record{{Partition: 99}}); !errors.Is(err, tail.ErrInvalid) {
		t.Errorf("a partition that is not there: %v", err)
	}
	r = newRig(t, map[string]string{"auto.create.topics.enable": "false"})
	if _, err := r.tail.Write(r.ctx(), "made", []*kgo.Record{{Value: []byte("x")}}); !errors.Is(err, tail.ErrNotFound) {
		t.Errorf("writing to what is not there: %v", err)
	}
}

func TestLargeRecordsDependOnTheTopic(t *testing.T) {
	r := newRig(t, nil)
	set := func(bytes string) map[string]*string { return map[string]*string{"max.message.bytes": &bytes} }
	r.topic("wide", 1, set("6000000"))
	r.write("wide", 0, strings.Repeat("x", 5<<20))
	r.topic("narrow", 1, set("3000"))
	random := rand.New(rand.NewSource(1))
	noise := func(n int) []byte { // which no compression makes shorter
		b := make([]byte, n)
		random.Read(b)
		return b
	}
	r.write("narrow", 0, string(noise(2000)), string(noise(2000)), string(noise(2000))) // too large together
	all, err := r.tail.Write(r.ctx(), "narrow", []*kgo.Record{{Value: []byte("fits")}, {Value: noise(4000)}})
	r.must(err)
	if all[0].Err != nil || !errors.Is(all[1].Err, tail.ErrTooLarge) {
		t.Errorf("one that fits and one that does not: %v", all)
	}
	if got := r.read("narrow", "start", 10); len(got.Records) != 4 {
		t.Errorf("%d records are there, want 4", len(got.Records))
	}
}

func TestARecordOfATimeToComeIsRefusedAlone(t *testing.T) {
	r := newRig(t, nil)
	r.topic("t", 1, nil)
	all, err := r.tail.Write(r.ctx(), "t", []*kgo.Record{{Value: []byte("now")}, {Value: []byte("then"), Timestamp: r.tail.Now().Add(2 * time.Hour)}, {Value: []byte("before"), Timestamp: time.UnixMilli(1)}})
	r.must(err)
	if all[0].Err != nil || !errors.Is(all[1].Err, tail.ErrInvalid) || all[2].Err != nil {
		t.Errorf("written: %v", all)
	}
}

// Who writes large records has known the topic that was there before.
func TestALargeRecordGoesIntoATopicThatWasMadeAnew(t *testing.T) {
	r := newRig(t, nil)
	most := "6000000"
	c, err := r.client()
	r.must(err)
	defer c.Close()
	for range 2 {
		r.topic("wide", 1, map[string]*string{"max.message.bytes": &most})
		r.write("wide", 0, strings.Repeat("x", 5<<20))
		gone, err := kadm.NewClient(c).DeleteTopic(r.ctx(), "wide")
		r.must(err)
		r.must(gone.Err)
	}
}

func TestPlacesAreReadAsTheyAreWritten(t *testing.T) {
	now := time.UnixMilli(1_000_000)
	for text, want := range map[string]tail.From{
		"start": {Kind: tail.Start}, "latest": {Kind: tail.End}, "17": {Kind: tail.Offset, N: 17}, "-10": {Kind: tail.Before, N: 10},
		"@-10s": {Kind: tail.At, Time: now.Add(-10 * time.Second)}, "0:1,7:2": {Kind: tail.Exact, Cursor: tail.Cursor{0: 1, 7: 2}},
	} {
		if got, err := tail.ParseFrom(text, now); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %+v (%v), want %+v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "noon", "@", "0:", "0:-1", ":", "0:1,", "1.5"} {
		if got, err := tail.ParseFrom(text, now); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
}

func FuzzParseFrom(f *testing.F) {
	for _, text := range []string{"0:17,1:5", "-10", "@-10m", "2026-11-26T16:00:00Z"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := tail.ParseFrom(text, time.UnixMilli(0))
		if err != nil || got.Kind != tail.Exact {
			return
		}
		if again, err := tail.ParseFrom(got.Cursor.String(), time.UnixMilli(0)); err != nil || !reflect.DeepEqual(again, got) {
			t.Fatalf("%q: %v became %v (%v)", text, got, again, err)
		}
	})
}
