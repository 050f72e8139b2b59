package ottla_test

import (
	"context"
	"fmt"
	"log"
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
