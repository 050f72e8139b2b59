package settings

import (
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/cli/kafkatools/words"
)

// producerKnown are the settings of Kafka's producer that have an effect here,
// or stand for how this client works anyway.
var producerKnown = map[string]bool{
	"bootstrap.servers": true, "client.id": true, "acks": true, "batch.size": true, "linger.ms": true, "compression.type": true,
	"retries": true, "request.timeout.ms": true, "delivery.timeout.ms": true, "enable.idempotence": true, "buffer.memory": true,
	"max.in.flight.requests.per.connection": true, "max.request.size": true, "transactional.id": true, "transaction.timeout.ms": true,
	"max.block.ms": true, "metadata.max.age.ms": true, "retry.backoff.ms": true,
	"key.serializer": true, "value.serializer": true, "security.protocol": true, "send.buffer.bytes": true,
}

// Producer turns a producer's settings into options of our client.
func Producer(p Properties, errOut io.Writer) ([]kgo.Opt, error) {
	for _, k := range p.unknownTo(producerKnown) {
		fmt.Fprintf(errOut, "The configuration '%s' has no effect here.\n", k)
	}
	opts := []kgo.Opt{kgo.AllowAutoTopicCreation()}
	acks, err := acksOption(p)
	if err != nil {
		return nil, err
	}
	opts = append(opts, acks...)
	codec, err := codecOf(p["compression.type"])
	if err != nil {
		return nil, err
	}
	opts = append(opts, kgo.ProducerBatchCompression(codec))
	numbers := []struct {
		name string
		set  func(int64) kgo.Opt
	}{
		{"linger.ms", func(n int64) kgo.Opt { return kgo.ProducerLinger(time.Duration(n) * time.Millisecond) }},
		{"max.request.size", func(n int64) kgo.Opt { return kgo.ProducerBatchMaxBytes(int32(min(n, math.MaxInt32))) }},
		{"retries", func(n int64) kgo.Opt { return kgo.RecordRetries(int(min(n, math.MaxInt32))) }},
		{"delivery.timeout.ms", func(n int64) kgo.Opt { return kgo.RecordDeliveryTimeout(time.Duration(n) * time.Millisecond) }},
		{"buffer.memory", func(n int64) kgo.Opt { return kgo.MaxBufferedBytes(int(n)) }},
		{"metadata.max.age.ms", func(n int64) kgo.Opt { return kgo.MetadataMaxAge(max(time.Duration(n)*time.Millisecond, time.Second)) }},
		{"transaction.timeout.ms", func(n int64) kgo.Opt { return kgo.TransactionTimeout(time.Duration(n) * time.Millisecond) }},
	}
	for _, n := range numbers {
		if p[n.name] == "" {
			continue
		}
		v, err := p.Integer(n.name, 0)
		if err != nil {
			return nil, err
		}
		if v < 0 {
			return nil, words.New("Invalid value %d for configuration %s: Value must be at least 0", v, n.name)
		}
		opts = append(opts, n.set(v))
	}
	if id := p["transactional.id"]; id != "" {
		opts = append(opts, kgo.TransactionalID(id))
	}
	return opts, nil
}

// acksOption reads acks and enable.idempotence, which go together: without all
// acknowledgements a producer cannot be idempotent.
func acksOption(p Properties) ([]kgo.Opt, error) {
	idempotent := !strings.EqualFold(p["enable.idempotence"], "false")
	var opts []kgo.Opt
	switch p["acks"] {
	case "", "all", "-1":
	case "1":
		opts, idempotent = append(opts, kgo.RequiredAcks(kgo.LeaderAck())), false
	case "0":
		opts, idempotent = append(opts, kgo.RequiredAcks(kgo.NoAck())), false
	default:
		return nil, words.New("Invalid value %s for configuration acks: String must be one of: all, -1, 0, 1", p["acks"])
	}
	if !idempotent {
		if strings.EqualFold(p["enable.idempotence"], "true") {
			return nil, words.New("Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.")
		}
		if p["transactional.id"] != "" {
			return nil, words.New("Cannot set a transactional.id without also enabling idempotence.")
		}
		opts = append(opts, kgo.DisableIdempotentWrite())
	}
	return opts, nil
}

func codecOf(name string) (kgo.CompressionCodec, error) {
	switch name {
	case "", "none":
		return kgo.NoCompression(), nil
	case "gzip":
		return kgo.GzipCompression(), nil
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		return kgo.Lz4Compression(), nil
	case "zstd":
		return kgo.ZstdCompression(), nil
	}
	return kgo.CompressionCodec{}, words.New("Unknown compression name: %s", name)
}
