package realfault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// probeWithin bounds one write of a probe: a full disk under load may take its
// time for a sync, and an answer that comes late is an answer.
const probeWithin = time.Minute

// Probe writes single records and does not retry, to see what is answered.
type Probe struct {
	client  *kgo.Client
	Refused int // writes that were not acknowledged
}

// NewProbe opens one and waits until its topic takes a record.
func NewProbe(ctx context.Context, address string) (*Probe, error) {
	c, err := kgo.NewClient(
		kgo.SeedBrokers(address), kgo.AlwaysRetryEOF(), kgo.DefaultProduceTopic("probe"), kgo.DisableIdempotentWrite(),
		kgo.RecordRetries(0), kgo.RequestRetries(0), kgo.AllowAutoTopicCreation(), kgo.ProducerLinger(0),
	)
	if err != nil {
		return nil, fmt.Errorf("make the probe: %w", err)
	}
	p := &Probe{client: c}
	for end := time.Now().Add(probeWithin); ; { // until the topic is made
		if err = p.Write(ctx); err == nil {
			p.Refused = 0
			return p, nil
		}
		if time.Now().After(end) {
			return nil, fmt.Errorf("first write of the probe: %w", err)
		}
		if err := Pause(ctx, 50*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// Write produces one record; the error is the broker's.
func (p *Probe) Write(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	err := p.client.ProduceSync(ctx, kgo.StringRecord("probe")).FirstErr()
	if err != nil {
		p.Refused++
	}
	return err
}

// Close ends the probe.
func (p *Probe) Close() { p.client.Close() }

// Fill appends to a file until there is no room for another block.
func Fill(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return nil
		}
		return err
	}
	for size := 1 << 20; size >= 1<<10; {
		_, err := f.Write(make([]byte, size))
		switch {
		case errors.Is(err, syscall.ENOSPC):
			size /= 4
		case err != nil:
			return errors.Join(err, f.Close())
		}
	}
	if err := f.Sync(); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	return nil
}
