package ottla_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla"
)

// A node in memory, one record in and out.
func Example() {
	ctx := context.Background()
	node, err := ottla.Start(ctx, ottla.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()

	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.AllowAutoTopicCreation(), kgo.ConsumeTopics("greetings"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "greetings", Value: []byte("hello")}).FirstErr(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(client.PollFetches(ctx).Records()[0].Value))
	// Output: hello
}

// Retention in a moment: a week and a day later the record is gone.
func ExampleClock() {
	ctx := context.Background()
	var clock ottla.Clock
	node, err := ottla.Start(ctx, ottla.Options{Clock: &clock})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.AllowAutoTopicCreation())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "news", Value: []byte("old soon")}).FirstErr(); err != nil {
		log.Fatal(err)
	}

	if err := clock.Advance(ctx, 8*24*time.Hour); err != nil {
		log.Fatal(err)
	}
	starts, err := kadm.NewClient(client).ListStartOffsets(ctx, "news")
	if err != nil {
		log.Fatal(err)
	}
	start, _ := starts.Lookup("news", 0)
	fmt.Println("the log now starts at offset", start.Offset)
	// Output: the log now starts at offset 1
}

// A day of a schedule, and of a delay, in a moment: each run and each message comes at
// its time, as the clock passes it.
func ExampleClock_Advance() {
	ctx := context.Background()
	var clock ottla.Clock
	node, err := ottla.Start(ctx, ottla.Options{Clock: &clock, HTTP: "127.0.0.1:0"})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	ask := func(method, path, body string, into any) {
		req, err := http.NewRequestWithContext(ctx, method, "http://"+node.HTTPAddr()+path, strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			log.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(into); err != nil || resp.StatusCode >= 300 {
			log.Fatalf("%s %s: %s, %v", method, path, resp.Status, err)
		}
	}
	var done struct{}
	ask("PUT", "/q/mails", `{}`, &done)
	ask("PUT", "/q/reminders", `{"delay_ms":600000}`, &done)
	ask("PUT", "/schedule/default/hourly", `{"expression":"rate(1 hour)","target":{"queue":"mails","input":"<aws.scheduler.scheduled-time>"}}`, &done)
	ask("POST", "/q/reminders", `pay the bill`, &done)
	waiting := func(queue string) int {
		var q struct{ Counts struct{ Waiting int } }
		ask("GET", "/q/"+queue, "", &q)
		return q.Counts.Waiting
	}

	if err := clock.Advance(ctx, 9*time.Minute); err != nil {
		log.Fatal(err)
	}
	fmt.Println("after nine minutes:", waiting("mails"), "mail,", waiting("reminders"), "reminders")
	if err := clock.Advance(ctx, 24*time.Hour-10*time.Minute); err != nil {
		log.Fatal(err)
	}
	fmt.Println("after a day:", waiting("mails"), "mails,", waiting("reminders"), "reminder")
	// Output:
	// after nine minutes: 1 mail, 0 reminders
	// after a day: 24 mails, 1 reminder
}

// A producer outlives a connection that is cut.
func ExampleFaults() {
	ctx := context.Background()
	var faults ottla.Faults
	node, err := ottla.Start(ctx, ottla.Options{Faults: &faults})
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	// A connection may be cut before it answered anything; kgo tries again then
	// only where it is told to.
	client, err := kgo.NewClient(kgo.SeedBrokers(node.Addr()), kgo.AllowAutoTopicCreation(), kgo.AlwaysRetryEOF())
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	send := func(v string) error {
		return client.ProduceSync(ctx, &kgo.Record{Topic: "orders", Value: []byte(v)}).FirstErr()
	}

	fmt.Println("before:", send("1"))
	faults.CutConnections()
	fmt.Println("after:", send("2"))
	fmt.Println("some were cut:", faults.Met().Cut > 0)
	// Output:
	// before: <nil>
	// after: <nil>
	// some were cut: true
}
