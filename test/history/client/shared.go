package client

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// values is a set of values; they are given in turn, so it is a map of bits.
type values struct {
	mu   sync.Mutex // guards bits
	bits []uint64
}

func (v *values) add(value int64) {
	if value < 0 {
		return // nobody's
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	for int64(len(v.bits)) <= value/64 {
		v.bits = append(v.bits, 0)
	}
	v.bits[value/64] |= 1 << (value % 64)
}

// lacks counts the values of want that are not in v, and names one.
func (v *values) lacks(want *values) (n int, one int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	want.mu.Lock()
	defer want.mu.Unlock()
	for i, bits := range want.bits {
		if i < len(v.bits) {
			bits &^= v.bits[i]
		}
		for b := range int64(64) {
			if bits&(1<<b) != 0 {
				n, one = n+1, int64(i)*64+b
			}
		}
	}
	return n, one
}

// shareGroup is the name of the crew's share group.
func (c *Cluster) shareGroup() string { return c.Topic + "-shared" }

// prepareShares lets the share group begin at the first record.
func (c *Cluster) prepareShares(ctx context.Context) error {
	cl, err := c.open()
	if err != nil {
		return err
	}
	defer cl.Close()
	req := kmsg.NewPtrIncrementalAlterConfigsRequest()
	r := kmsg.NewIncrementalAlterConfigsRequestResource()
	r.ResourceType, r.ResourceName = kmsg.ConfigResourceTypeGroupConfig, c.shareGroup()
	for name, value := range map[string]string{"share.auto.offset.reset": "earliest", "share.isolation.level": "read_committed",
		"share.record.lock.duration.ms": "15000", "share.session.timeout.ms": "45000"} {
		r.Configs = append(r.Configs, kmsg.IncrementalAlterConfigsRequestResourceConfig{Name: name, Value: kmsg.StringPtr(value)})
	}
	req.Resources = append(req.Resources, r)
	resp, err := req.RequestWith(ctx, cl)
	if err == nil {
		err = kerr.ErrorForCode(resp.Resources[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("settings of the share group %s: %w", c.shareGroup(), err)
	}
	return nil
}

// share is a member of the share group until ctx ends. Some records it releases,
// so that they come again; every lifetime it goes, and a new one comes.
func (c *Cluster) share(ctx context.Context, lifetime time.Duration, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 11))
	for ctx.Err() == nil {
		cl, err := c.open(kgo.ShareGroup(c.shareGroup()), kgo.ConsumeTopics(c.Topic), kgo.FetchMaxWait(200*time.Millisecond))
		if err != nil {
			return err
		}
		life, cancel := context.WithTimeout(ctx, lifetime)
		for poll := c.while(ctx, life); poll.Err() == nil; poll = c.while(ctx, life) {
			cl.PollRecords(poll, 500).EachRecord(func(rec *kgo.Record) {
				if r.IntN(100) == 0 && !c.calm.Load() {
					rec.Ack(kgo.AckRelease)
					return
				}
				c.taken.add(Decode(rec.Value))
				rec.Ack(kgo.AckAccept)
			})
		}
		cancel()
		flush, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		_ = cl.FlushAcks(flush) // what nobody heard of comes again
		cancel()
		cl.Close()
	}
	return nil
}

// Shared waits until the share group has taken every record that was
// acknowledged to whoever wrote it.
func (c *Crew) Shared(ctx context.Context, within time.Duration) error {
	if c.Sharers == 0 {
		return nil
	}
	for began := time.Now(); ; wait(ctx, 50*time.Millisecond) {
		n, one := c.taken.lacks(&c.told)
		switch {
		case n == 0:
			return nil
		case ctx.Err() != nil || time.Since(began) > within:
			return fmt.Errorf("share group %s: %d records never came, value %d among them", c.shareGroup(), n, one)
		}
	}
}
