package client

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/history"
)

// Cluster is what the clients of one run share.
type Cluster struct {
	Address    string // or several, comma-separated
	Topic      string
	Partitions int32
	Replicas   int16 // 1 when 0
	History    *history.Writer
	Plain      bool // no compression; otherwise producers take codecs by turns

	value atomic.Int64 // the last value that was sent
	acked atomic.Int64
	// commits is how many transactions were committed so far.
	commits atomic.Int64
	// vanished is how many members have ended without leaving their group.
	vanished atomic.Int64
	// calm lets members of groups live on.
	calm atomic.Bool

	told  values // acknowledged to those who wrote them
	taken values // accepted by members of the share group
}

// Acked is how many records were acknowledged so far.
func (c *Cluster) Acked() int64 { return c.acked.Load() }

// Committed is how many transactions were committed so far.
func (c *Cluster) Committed() int64 { return c.commits.Load() }

// Vanished is how many members have ended without leaving their group so far.
func (c *Cluster) Vanished() int64 { return c.vanished.Load() }

// Calm ends the coming and going in the groups: who is there from now on stays.
func (c *Cluster) Calm() { c.calm.Store(true) }

// while gives what a member of a group polls with: its own life, or that of all
// from Calm on.
func (c *Cluster) while(all, life context.Context) context.Context {
	if c.calm.Load() {
		return all
	}
	return life
}

// Prepare makes the topic with some settings.
func (c *Cluster) Prepare(ctx context.Context, settings map[string]*string) error {
	cl, err := c.open()
	if err != nil {
		return err
	}
	defer cl.Close()
	r, err := kadm.NewClient(cl).CreateTopic(ctx, c.Partitions, max(c.Replicas, 1), settings, c.Topic)
	if err == nil {
		err = r.Err
	}
	if err != nil {
		return fmt.Errorf("create topic %s: %w", c.Topic, err)
	}
	return nil
}

// open makes a client that is patient with a broker that comes and goes.
func (c *Cluster) open(more ...kgo.Opt) (*kgo.Client, error) {
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(strings.Split(c.Address, ",")...), kgo.AlwaysRetryEOF(),
		kgo.MetadataMinAge(100 * time.Millisecond),
		kgo.DialTimeout(2 * time.Second),
		kgo.RetryBackoffFn(func(int) time.Duration { return 50 * time.Millisecond }),
	}, more...)...)
	if err != nil {
		return nil, fmt.Errorf("make a client of %s: %w", c.Address, err)
	}
	return cl, nil
}

// partition names one of the topic's.
func (c *Cluster) partition(n int32) string { return c.Topic + "-" + strconv.Itoa(int(n)) }

// Encode is the record value that holds a value, padded to a size.
func Encode(value int64, size int) []byte {
	b := append(strconv.AppendInt(nil, value, 10), ' ')
	return append(b, bytes.Repeat([]byte{'x'}, max(0, size-len(b)))...)
}

// Decode is its reverse; what nobody here has encoded is -1.
func Decode(b []byte) int64 {
	digits, _, _ := bytes.Cut(b, []byte{' '})
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		return -1
	}
	return n
}
