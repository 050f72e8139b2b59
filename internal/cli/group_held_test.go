package cli

import (
	"context"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
	"ottla/internal/cli/fail"
)

func TestAPoisonedKeyIsShownToWhoDescribesItsGroup(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	n, err := ottla.Start(ctx, ottla.Options{HTTP: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	call(t, n, "", "topic", "create", "orders", "--partitions", "1").mustHold(t, 0)
	call(t, n, "poison:1\ngood:2\npoison:3\n", "produce", "orders", "--key-separator", ":").mustHold(t, 0)
	c, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, s := range []string{"share.auto.offset.reset=earliest", "share.key.ordering=true", "share.retry.backoff.ms=60000", "share.retry.backoff.max.ms=60000"} {
		setShop(ctx, t, c, s)
	}
	m, err := kgo.NewClient(kgo.SeedBrokers(n.Addr()), kgo.ShareGroup("shop"), kgo.ConsumeTopics("orders"))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for released, good := 0, 0; released == 0 || good == 0; {
		fs := m.PollRecords(ctx, 10)
		if err := ctx.Err(); err != nil {
			t.Fatalf("%d poisoned and %d good records came: %v", released, good, err)
		}
		fs.EachRecord(func(r *kgo.Record) {
			if string(r.Key) == "poison" {
				r.Ack(kgo.AckRelease)
				released++
				return
			}
			r.Ack(kgo.AckAccept)
			good++
		})
	}
	if err := m.FlushAcks(ctx); err != nil {
		t.Fatal(err)
	}
	call(t, n, "", "group", "describe", "shop", "--http", n.HTTPAddr()).mustHold(t, 0, "shop  Stable  share", "PARKED KEYS", "DYING")
	call(t, n, "", "group", "describe", "shop", "--held", "--http", "http://"+n.HTTPAddr(), "-o", "ndjson").mustHold(t, 0,
		`{"group":"shop","topic":"orders","partition":0,"acquired":0,"redelivered":1,"delayed":1,"parked_keys":1,"dying":0}`)
	call(t, n, "", "group", "describe", "shop", "--held").mustHold(t, 0, "orders")
	call(t, n, "", "group", "describe", "shop", "--held", "--http", n.Addr()).mustHold(t, fail.Unreachable, "cannot tell what group shop holds")
}
