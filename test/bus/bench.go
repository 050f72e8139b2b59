package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/rig/mortal"
)

// measure tells how many events of 670 bytes a second come from a bus to a queue, and
// how long one takes on its way when there are few.
func measure(ctx context.Context, c mortal.Cluster) error {
	d := &door{addrs: c.HTTPAddrs()}
	for _, x := range []struct {
		path string
		body object
	}{
		{"/q/q", object{}}, {"/bus/shop", object{}},
		{"/bus/shop/rules/all", object{"pattern": `{"source":["shop"],"detail":{"customer":[{"prefix":"c-"}]}}`, "targets": []object{{"id": "q", "to": "queue:q"}}}},
	} {
		if err := d.ask(ctx, http.MethodPut, x.path, x.body, nil); err != nil {
			return err
		}
	}
	cl, err := clientOf(c.Addrs(), kgo.ProducerLinger(5*time.Millisecond), kgo.MaxBufferedRecords(200_000))
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := latency(ctx, c); err != nil {
		return err
	}
	return through(ctx, cl)
}

func sample(n int) *kgo.Record {
	text := func(key, value string) kgo.RecordHeader { return kgo.RecordHeader{Key: key, Value: []byte(value)} }
	return &kgo.Record{Topic: "shop", Value: fmt.Appendf(nil, `{"customer":"c-%d","n":%d,"lines":"%s"}`, n%1000, n, strings.Repeat("x", 500)), Headers: []kgo.RecordHeader{
		text("ce_specversion", "1.0"), text("ce_id", "e-"+strconv.Itoa(n)), text("ce_source", "shop"), text("ce_type", "order placed"),
		text("ce_time", "2026-01-02T03:04:05Z"), text("content-type", "application/json"),
	}}
}

// through puts as many as a bus takes and waits until the queue has them.
func through(ctx context.Context, cl *kgo.Client) error {
	begun := time.Now()
	var n, failed atomic.Int64
	for i := 0; time.Since(begun) < *bench; i++ {
		cl.Produce(ctx, sample(i), func(_ *kgo.Record, err error) {
			if n.Add(1); err != nil {
				failed.Add(1)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		return err
	}
	put := time.Since(begun)
	adm := kadm.NewClient(cl)
	for {
		if moved, err := behind(ctx, adm); err != nil {
			return err
		} else if moved == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	all := time.Since(begun)
	fmt.Printf("bus: %d events (%d failed) were put in %v, %.0f/s; all were in the queue after %v, %.0f/s\n", n.Load(), failed.Load(),
		put.Round(time.Millisecond), float64(n.Load())/put.Seconds(), all.Round(time.Millisecond), float64(n.Load())/all.Seconds())
	return nil
}

// behind is how many events the queue lacks, about: its markers are offsets, too.
func behind(ctx context.Context, adm *kadm.Client) (int64, error) {
	shop, err := adm.ListCommittedOffsets(ctx, "shop")
	if err != nil {
		return 0, err
	}
	before, err := adm.ListCommittedOffsets(ctx, "q")
	if err != nil {
		return 0, err
	}
	if before["q"][0].Offset < shop["shop"][0].Offset {
		return 1, nil
	}
	time.Sleep(200 * time.Millisecond)
	after, err := adm.ListCommittedOffsets(ctx, "q")
	if err != nil {
		return 0, err
	}
	return after["q"][0].Offset - before["q"][0].Offset, nil
}

// latency puts events one at a time, and waits for each in the queue.
func latency(ctx context.Context, c mortal.Cluster) error {
	in, err := clientOf(c.Addrs(), kgo.ProducerLinger(0))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := clientOf(c.Addrs(), kgo.ConsumeTopics("q"), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return err
	}
	defer out.Close()
	var all []time.Duration
	for i := range 1000 {
		begun := time.Now()
		if err := in.ProduceSync(ctx, sample(i)).FirstErr(); err != nil {
			return err
		}
		for n := 0; n == 0; {
			got := out.PollFetches(ctx)
			if err := ctx.Err(); err != nil {
				return err
			}
			n = got.NumRecords()
		}
		all = append(all, time.Since(begun))
	}
	slices.Sort(all)
	fmt.Printf("bus: from the call that puts an event until a consumer of the queue's topic has it: p50 %v, p99 %v\n", all[len(all)/2].Round(10*time.Microsecond), all[len(all)*99/100].Round(10*time.Microsecond))
	return nil
}
