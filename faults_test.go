package ottla_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

// ctxt is what kgo's callbacks take.
type ctxt = context.Context

// send produces one record and does not try again.
func send(t *testing.T, node *ottla.Server, topic string) error {
	t.Helper()
	c := client(t, node, kgo.RecordRetries(0), kgo.DisableIdempotentWrite())
	return c.ProduceSync(within(t), &kgo.Record{Topic: topic, Value: []byte("x")}).FirstErr()
}

func ready(t *testing.T, node *ottla.Server) (int, string) {
	t.Helper()
	res, err := http.Get("http://" + node.HTTPAddr() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer http.DefaultClient.CloseIdleConnections()
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(body)
}

func TestAFullDiskRefusesAndGoesOnWhenThereIsRoom(t *testing.T) {
	places(t, func(t *testing.T, o ottla.Options) {
		o.Faults, o.HTTP = new(ottla.Faults), "127.0.0.1:0"
		node := start(t, o)
		create(t, node, "orders", 1, nil)
		produce(t, client(t, node), "orders", 0, 10)
		o.Faults.FullDisk(true)
		if err := send(t, node, "orders"); !errors.Is(err, kerr.KafkaStorageError) {
			t.Errorf("on a full disk: got %v, want KAFKA_STORAGE_ERROR", err)
		}
		if got := read(t, node, "orders", 10); len(got) != 10 {
			t.Errorf("%d records can be read on a full disk, want 10", len(got))
		}
		o.Faults.FullDisk(false)
		produce(t, client(t, node), "orders", 10, 20)
		if got := read(t, node, "orders", 20); string(got[19].Value) != "value 19" || got[19].Offset != 19 {
			t.Errorf("the last record is %q at %d", got[19].Value, got[19].Offset)
		}
		if code, body := ready(t, node); code != 200 {
			t.Errorf("/readyz: %d %s", code, body)
		}
		if o.Faults.Met().Full == 0 {
			t.Error("the full disk was never met")
		}
	})
}

func TestALimitedDiskRunsFull(t *testing.T) {
	var faults ottla.Faults
	node := start(t, ottla.Options{Faults: &faults})
	create(t, node, "orders", 1, nil)
	faults.LimitDisk(64 << 10)
	c := client(t, node, kgo.RecordRetries(0), kgo.DisableIdempotentWrite(), kgo.ProducerBatchCompression(kgo.NoCompression()))
	var err error
	sent := 0
	for ; sent < 100 && err == nil; sent++ {
		err = c.ProduceSync(within(t), &kgo.Record{Topic: "orders", Value: make([]byte, 8<<10)}).FirstErr()
	}
	if !errors.Is(err, kerr.KafkaStorageError) || sent > 9 {
		t.Errorf("record %d: got %v, want KAFKA_STORAGE_ERROR by the ninth", sent, err)
	}
	faults.LimitDisk(-1)
	if err := send(t, node, "orders"); err != nil {
		t.Errorf("without the limit: %v", err)
	}
}

// broken starts a node that cannot be closed cleanly.
func broken(t *testing.T, o ottla.Options) *ottla.Server {
	t.Helper()
	node, err := ottla.Start(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err == nil {
			t.Error("a node whose disk failed closed as if nothing had happened")
		}
	})
	return node
}

func TestAFailedSyncTakesTheDirectoryOffline(t *testing.T) {
	places(t, func(t *testing.T, o ottla.Options) {
		o.Faults, o.HTTP = new(ottla.Faults), "127.0.0.1:0"
		node := broken(t, o)
		create(t, node, "orders", 1, nil)
		produce(t, client(t, node), "orders", 0, 10)
		if code, body := ready(t, node); code != 200 {
			t.Fatalf("/readyz before: %d %s", code, body)
		}
		o.Faults.FailNextSync()
		for _, when := range []string{"at the failure", "after it"} {
			if err := send(t, node, "orders"); !errors.Is(err, kerr.KafkaStorageError) {
				t.Errorf("%s: got %v, want KAFKA_STORAGE_ERROR", when, err)
			}
		}
		code, body := ready(t, node)
		if code != 503 || !strings.Contains(body, "log directory") || !strings.Contains(body, "input/output error") {
			t.Errorf("/readyz: %d %s, want 503 and the reason", code, body)
		}
		if met := o.Faults.Met(); met.Failed != 1 {
			t.Errorf("met %+v, want one failure", met)
		}
	})
}

func TestAFailedDirectoryServesAgainAfterARestart(t *testing.T) {
	o := ottla.Options{Dir: t.TempDir(), Faults: new(ottla.Faults)}
	node, err := ottla.Start(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	create(t, node, "orders", 1, nil)
	produce(t, client(t, node), "orders", 0, 10)
	o.Faults.FailNextWrite()
	if err := send(t, node, "orders"); !errors.Is(err, kerr.KafkaStorageError) {
		t.Errorf("got %v, want KAFKA_STORAGE_ERROR", err)
	}
	if err := node.Close(); err == nil {
		t.Error("a node whose disk failed closed as if nothing had happened")
	}
	again := start(t, o)
	if got := read(t, again, "orders", 10); string(got[9].Value) != "value 9" {
		t.Errorf("after the restart the last record is %q", got[9].Value)
	}
	if err := send(t, again, "orders"); err != nil {
		t.Errorf("after the restart: %v", err)
	}
}

func TestASlowDiskOnlyTakesLonger(t *testing.T) {
	var faults ottla.Faults
	node := start(t, ottla.Options{Faults: &faults})
	faults.SlowDisk(time.Millisecond, 5*time.Millisecond)
	produce(t, client(t, node), "orders", 0, 100)
	if got := read(t, node, "orders", 100); string(got[99].Value) != "value 99" {
		t.Errorf("the last record is %q", got[99].Value)
	}
	faults.Heal()
	if faults.Met().Delayed == 0 {
		t.Error("nothing was held up")
	}
}

// Connections are cut again and again while an idempotent producer has requests
// in flight; every record is there once, in its order. A cut may hit one that
// has answered nothing yet, the client's next for metadata perhaps: kgo takes
// that for a door that wants another protocol, unless it is told to try again.
func TestAnIdempotentProducerOutlivesCutConnections(t *testing.T) {
	places(t, func(t *testing.T, o ottla.Options) {
		o.Faults = new(ottla.Faults)
		node := start(t, o)
		create(t, node, "orders", 1, nil)
		c := client(t, node, kgo.ProducerBatchMaxBytes(4<<10), kgo.AlwaysRetryEOF())
		const records, every = 3000, 500
		type ack struct {
			i   int
			err error
		}
		acks := make(chan ack, records)
		ctx, seen := within(t), -1
		await := func(i int) {
			for seen < i {
				a := <-acks
				if a.err != nil {
					t.Fatalf("record %d failed: %v", a.i, a.err)
				}
				seen = a.i
			}
		}
		for i := range records {
			if i%every == every-1 {
				await(i - every/2)
				o.Faults.CutConnections()
			}
			r := &kgo.Record{Topic: "orders", Key: key(i), Value: []byte(strings.Repeat("v", 200))}
			c.Produce(ctx, r, func(_ *kgo.Record, err error) { acks <- ack{i, err} })
		}
		await(records - 1)
		for i, r := range read(t, node, "orders", records) {
			if string(r.Key) != string(key(i)) {
				t.Fatalf("at offset %d: record %s, want %s", r.Offset, r.Key, key(i))
			}
		}
		if _, end := starts(t, node, "orders"); end != records || o.Faults.Met().Cut < records/every {
			t.Errorf("the log ends at %d, want %d; met %+v", end, records, o.Faults.Met())
		}
	})
}

func key(i int) []byte { return []byte(time.Duration(i).String()) }

func TestRefusedConnectionsAreLetInAgain(t *testing.T) {
	var faults ottla.Faults
	node := start(t, ottla.Options{Faults: &faults})
	produce(t, client(t, node), "orders", 0, 1)
	faults.RefuseConnections(true)
	faults.CutConnections()
	if _, err := node.Dial(within(t), "", ""); err == nil {
		t.Error("a connection in memory was let in")
	}
	fast := client(t, node, kgo.RequestRetries(1), kgo.RetryTimeout(time.Second))
	if err := fast.Ping(within(t)); err == nil {
		t.Error("a client was let in")
	}
	faults.Heal()
	produce(t, client(t, node), "orders", 1, 2)
}
