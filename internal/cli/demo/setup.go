package demo

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/native"
	"ottla/internal/event/name"
	"ottla/internal/gateway/rest"
)

//go:embed shop.yaml
var shop string

const (
	// viewTopic has what last happened to each order.
	viewTopic = "order-states"
	// snsTopic has the orders of gold customers.
	snsTopic = "offers"
	// giftsQueue subscribes to it, for what is worth a gift.
	giftsQueue = "gifts"
)

// setUp makes what the shop needs. It can be done again, and again after it failed.
func (d *Demo) setUp(ctx context.Context, partner string) error {
	if err := d.makeView(ctx); err != nil {
		return err
	}
	if err := d.door.once(ctx, callWithin, http.MethodPut, native.Path("sns", snsTopic), nil, rest.SNSTopicOrder{Partitions: 1}, nil); err != nil {
		return err
	}
	file := strings.NewReplacer("PARTNER", partner, "SECRET", partnerSecret).Replace(shop)
	if err := d.o.Apply(ctx, d.o.HTTP[int(d.door.at.Load())%len(d.o.HTTP)], []byte(file)); err != nil {
		return err
	}
	gifts := rest.SubscriptionOrder{Protocol: "sqs", Endpoint: name.Of(name.Queue, giftsQueue).ARN(), Attributes: map[string]string{
		"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": `{"total":[{"numeric":[">=",40]}]}`,
	}}
	return d.door.once(ctx, callWithin, http.MethodPost, native.Path("sns", snsTopic, "subscriptions"), nil, gifts, nil)
}

// makeView makes the compacted topic, which nothing but a Kafka client asks for.
func (d *Demo) makeView(ctx context.Context) error {
	cl, err := kgo.NewClient(kgo.SeedBrokers(d.o.Kafka...), kgo.ClientID("ottla-demo"), kgo.RetryTimeout(callWithin))
	if err != nil {
		return fmt.Errorf("make a client: %w", err)
	}
	defer cl.Close()
	compact, week := "compact,delete", "604800000"
	_, err = kadm.NewClient(cl).CreateTopic(ctx, 1, -1, map[string]*string{"cleanup.policy": &compact, "retention.ms": &week}, viewTopic)
	if errors.Is(err, kerr.TopicAlreadyExists) {
		return nil
	}
	return err
}
