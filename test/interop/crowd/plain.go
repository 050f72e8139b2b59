package crowd

import (
	"bytes"
	"fmt"
	"sync/atomic"
)

// Plain is a client without groups.
type Plain interface {
	// Make makes a topic; its error is the client's own.
	Make(name string, partitions int, configs map[string]string) (topic string, err error)
	Partitions(topic string) (int, error)
	// Exists and TooLarge say what an error of Make and Produce means.
	Exists(err error) bool
	TooLarge(err error) bool
	// Produce returns when all is acknowledged; record i goes to its partition.
	Produce(topic, codec string, records []Content) error
	// Follow reads a partition from its beginning until got says false.
	Follow(topic string, partition int, got func(offset int64, c Content) bool) error
	// OffsetAt gives the first offset whose time is at least millis, End the offset
	// after the last record.
	OffsetAt(topic string, partition int, millis int64) (int64, error)
	End(topic string, partition int) (int64, error)
}

// Content is one record.
type Content struct {
	Key, Value []byte
	N          string // of the header n; a header "empty" is beside it. "": no headers
	Millis     int64  // 0: now
	Partition  int
}

const (
	plainParts = 3
	plainCount = 300
)

// ContentOf is record i of the codec scenarios.
func ContentOf(i int, base int64) Content {
	c := Content{N: fmt.Sprint(i), Millis: base + int64(i)*1000, Partition: i % plainParts}
	if i%10 != 0 {
		c.Key = fmt.Appendf(nil, "k%d", i)
	}
	if i%10 != 5 {
		c.Value = bytes.Repeat(fmt.Appendf(nil, "value %d ", i), 20)
	}
	return c
}

// Same compares what was read with what was written.
func Same(got, want Content) error {
	equal := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	if !equal(got.Key, want.Key) || !equal(got.Value, want.Value) || got.N != want.N || got.Millis != want.Millis {
		return fmt.Errorf("got key %q value %.20q n=%s time %d, want %q %.20q %s %d",
			got.Key, got.Value, got.N, got.Millis, want.Key, want.Value, want.N, want.Millis)
	}
	return nil
}

// PlainStories are the scenarios without groups. exact says that a producer
// that tries again stores nothing twice.
func PlainStories(p Plain, base int64, exact bool, restart func() <-chan struct{}) []Story {
	story := func(name string, tell func() error) Story { return Story{name, func(World) error { return tell() }} }
	out := []Story{story("create", func() error { return create(p) })}
	for _, c := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		out = append(out, story("codec-"+c, func() error { return codec(p, c, base) }))
	}
	if exact {
		out = append(out, story("idempotent", func() error { return many(p) }))
	}
	return append(out,
		story("time", func() error { return times(p, base) }),
		story("large", func() error { return large(p) }),
		story("huge", func() error { return huge(p) }),
		story("restart", func() error { return throughPlain(p, exact, restart) }))
}

func create(p Plain) error {
	topic, err := p.Make("create", plainParts, nil)
	if err != nil {
		return err
	}
	if n, err := p.Partitions(topic); err != nil || n != plainParts {
		return fmt.Errorf("the topic has %d partitions, want %d: %w", n, plainParts, err)
	}
	if _, err := p.Make("create", plainParts, nil); !p.Exists(err) {
		return fmt.Errorf("making it once more gives %v, want TOPIC_ALREADY_EXISTS", err)
	}
	return nil
}

func codec(p Plain, name string, base int64) error {
	topic, err := p.Make(name, plainParts, nil)
	if err != nil {
		return err
	}
	var records []Content
	for i := range plainCount {
		records = append(records, ContentOf(i, base))
	}
	if err := p.Produce(topic, name, records); err != nil {
		return fmt.Errorf("produce: %w", err)
	}
	for part := range plainParts {
		var wrong error
		next := int64(0)
		err := p.Follow(topic, part, func(offset int64, c Content) bool {
			if offset != next {
				wrong = fmt.Errorf("offset %d follows %d", offset, next-1)
			} else if err := Same(c, ContentOf(int(offset)*plainParts+part, base)); err != nil {
				wrong = fmt.Errorf("partition %d offset %d: %w", part, offset, err)
			}
			next++
			return wrong == nil && next < plainCount/plainParts
		})
		if wrong != nil {
			return wrong
		}
		if err != nil {
			return fmt.Errorf("read partition %d: %w", part, err)
		}
	}
	return nil
}

func numbers(first, last int) []Content {
	var out []Content
	for i := first; i < last; i++ {
		out = append(out, Content{Value: fmt.Append(nil, i)})
	}
	return out
}

func many(p Plain) error {
	const count = 3000
	topic, err := p.Make("idempotent", 1, nil)
	if err != nil {
		return err
	}
	if err := p.Produce(topic, "none", numbers(0, count)); err != nil {
		return err
	}
	return inOrder(p, topic, func(next int) bool { return next < count })
}

// inOrder reads numbers that lie at their own offsets.
func inOrder(p Plain, topic string, more func(next int) bool) error {
	var wrong error
	err := p.Follow(topic, 0, func(offset int64, c Content) bool {
		if want := fmt.Sprint(offset); string(c.Value) != want {
			wrong = fmt.Errorf("offset %s holds %q", want, c.Value)
		}
		return wrong == nil && more(int(offset)+1)
	})
	if wrong != nil {
		return wrong
	}
	return err
}

func times(p Plain, base int64) error {
	topic, err := p.Make("none", plainParts, nil)
	if !p.Exists(err) {
		return fmt.Errorf("the topic of codec-none is gone: %w", err)
	}
	for part := range plainParts {
		want := int64((100 + plainParts - 1 - part) / plainParts)
		if got, err := p.OffsetAt(topic, part, base+100_000); err != nil || got != want {
			return fmt.Errorf("partition %d: offset %d for base+100 s, want %d: %w", part, got, want, err)
		}
		if got, err := p.End(topic, part); err != nil || got != plainCount/plainParts {
			return fmt.Errorf("partition %d ends at %d: %w", part, got, err)
		}
	}
	return nil
}

func roundTrip(p Plain, topic string, size int) error {
	sent := make([]byte, size)
	for i, x := 0, uint32(1); i < size; i++ {
		x = x*1664525 + 1013904223
		sent[i] = byte(x >> 24)
	}
	if err := p.Produce(topic, "none", []Content{{Value: sent}}); err != nil {
		return err
	}
	same := false
	err := p.Follow(topic, 0, func(_ int64, c Content) bool { same = bytes.Equal(c.Value, sent); return false })
	if err == nil && !same {
		return fmt.Errorf("%d bytes came back changed", size)
	}
	return err
}

func large(p Plain) error {
	topic, err := p.Make("large", 1, nil)
	if err != nil {
		return err
	}
	if err := roundTrip(p, topic, 1_000_000); err != nil {
		return err
	}
	if err := roundTrip(p, topic, 1_100_000); !p.TooLarge(err) {
		return fmt.Errorf("1,100,000 bytes give %v, want MESSAGE_TOO_LARGE", err)
	}
	return nil
}

func huge(p Plain) error {
	topic, err := p.Make("huge", 1, map[string]string{"max.message.bytes": "10485760"})
	if err != nil {
		return err
	}
	return roundTrip(p, topic, 8<<20)
}

// throughPlain sends and reads through a restart.
func throughPlain(p Plain, exact bool, restart func() <-chan struct{}) error {
	topic, err := p.Make("restart", 1, nil)
	if err != nil {
		return err
	}
	var total atomic.Int64
	total.Store(1 << 40)
	read := make(chan error, 1)
	go func() {
		if exact {
			read <- inOrder(p, topic, func(next int) bool { return int64(next) < total.Load() })
			return
		}
		seen := map[string]bool{}
		read <- p.Follow(topic, 0, func(_ int64, c Content) bool {
			seen[string(c.Value)] = true
			return int64(len(seen)) < total.Load()
		})
	}()
	sent := 0
	send := func(n int) error {
		sent += n
		return p.Produce(topic, "none", numbers(sent-n, sent))
	}
	if err := send(200); err != nil {
		return err
	}
	for back, done := restart(), false; !done; {
		if err := send(5); err != nil {
			return fmt.Errorf("send through the restart: %w", err)
		}
		select {
		case <-back:
			done = true
		default:
		}
	}
	total.Store(int64(sent + 200))
	if err := send(200); err != nil {
		return err
	}
	return <-read
}
