package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/test/realfault"
	"ottla/test/rig/mortal"
)

// restTime bounds how long all may take to come to rest.
const restTime = 4 * time.Minute

// found is an event in a topic.
type found struct {
	event
	partition int32
	offset    int64
	atMs      int64 // the record's time
}

// judge waits until all has come to rest and tells what is wrong.
func judge(ctx context.Context, c mortal.Cluster, d *door, h *hook) error {
	put, err := read(ctx, c, "shop", false)
	if err != nil {
		return err
	}
	places := []struct {
		topic  string
		bodies bool // envelopes, not data
		wants  func(f *found) bool
	}{
		{"out", false, func(*found) bool { return true }},
		{"q", true, func(*found) bool { return true }},
		{"odds", false, func(f *found) bool { return f.Odd }},
		{"far", false, func(*found) bool { return true }},
		{"dead", true, func(f *found) bool { return f.Heavy }},
	}
	var errs []error
	for _, p := range places {
		want := slices.DeleteFunc(slices.Clone(put), func(f found) bool { return !p.wants(&f) })
		got, err := rest(ctx, c, p.topic, p.bodies, len(want))
		if err == nil {
			err = compare(p.topic, want, got)
		}
		fmt.Printf("bus: %s: %d events of %d\n", p.topic, len(got), len(want))
		errs = append(errs, err)
		if len(want) == 0 {
			errs = append(errs, fmt.Errorf("%s: it was never used; run it longer", p.topic))
		}
	}
	return errors.Join(append(errs, judgeReplay(ctx, c, d, put), h.judge(ctx, put))...)
}

// window is what a replay tells of itself.
type window struct {
	State  string
	Events int
	ToMs   int64 `json:"to_ms"`
}

// judgeReplay judges what a replay has taken to a topic: of each partition of the bus,
// up to some offset, the events from before the replay began.
func judgeReplay(ctx context.Context, c mortal.Cluster, d *door, put []found) error {
	var w window
	for begun := time.Now(); w.State != "COMPLETED"; {
		if err := d.ask(ctx, http.MethodGet, "/replay/again", nil, &w); err != nil {
			return err
		}
		if time.Since(begun) > restTime {
			return fmt.Errorf("the replay is %s after %v", w.State, restTime)
		}
		if err := realfault.Pause(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	got, err := rest(ctx, c, "replayed", false, w.Events)
	if err != nil {
		return err
	}
	at := map[string]*found{}
	for i := range put {
		at[put[i].name()] = &put[i]
	}
	last := map[int32]int64{}
	for i := range got {
		if f := at[got[i].name()]; f != nil {
			last[f.partition] = max(last[f.partition], f.offset+1)
		}
	}
	want := slices.DeleteFunc(slices.Clone(put), func(f found) bool { return f.offset >= last[f.partition] || f.atMs >= w.ToMs })
	fmt.Printf("bus: the replay: %d events of %d\n", len(got), w.Events)
	if len(want) != w.Events || w.Events == 0 {
		return fmt.Errorf("the replay says that it has %d events, and there are %d", w.Events, len(want))
	}
	return compare("the replay", want, got)
}

// rest reads a topic until it has as many events as it should, and a moment later
// once more: what came twice is there then.
func rest(ctx context.Context, c mortal.Cluster, topic string, bodies bool, want int) ([]found, error) {
	for begun := time.Now(); ; {
		got, err := read(ctx, c, topic, bodies)
		if err != nil {
			return nil, err
		}
		if len(got) >= want || time.Since(begun) > restTime {
			if err := realfault.Pause(ctx, time.Second); err != nil {
				return nil, err
			}
			return read(ctx, c, topic, bodies)
		}
		if err := realfault.Pause(ctx, 300*time.Millisecond); err != nil {
			return nil, err
		}
	}
}

// most is how many faults of a kind are told.
const most = 5

// compare tells what of a topic is lost, there twice, out of order or nobody's.
func compare(topic string, want, got []found) error {
	var errs []error
	tell := func(kind *int, format string, args ...any) {
		if *kind++; *kind <= most {
			errs = append(errs, fmt.Errorf(topic+": "+format, args...))
		}
	}
	var lost, twice, strange, order int
	there := map[string]int{}
	last := map[string]int{}
	for i := range got {
		f := &got[i]
		there[f.name()]++
		if n, before := last[f.Lane]; before && f.N < n {
			tell(&order, "%s comes after %s/%d", f.name(), f.Lane, n)
		}
		last[f.Lane] = f.N
	}
	for i := range want {
		switch n := there[want[i].name()]; {
		case n == 0:
			tell(&lost, "%s is lost", want[i].name())
		case n > 1:
			tell(&twice, "%s is there %d times", want[i].name(), n)
		}
		delete(there, want[i].name())
	}
	for name := range there {
		tell(&strange, "%s is there, and is not for it", name)
	}
	if n := lost + twice + strange + order; n > 0 {
		errs = append(errs, fmt.Errorf("%s: %d lost, %d twice, %d strange, %d out of order", topic, lost, twice, strange, order))
	}
	return errors.Join(errs...)
}

// judge tells what the address has not taken.
func (h *hook) judge(ctx context.Context, put []found) error {
	for begun := time.Now(); ; {
		lost, all := 0, 0
		h.mu.Lock()
		for i := range put {
			if _, ok := h.ids[put[i].name()]; put[i].Hook {
				if all++; !ok {
					lost++
				}
			}
		}
		wrong := slices.Clone(h.wrong)
		h.mu.Unlock()
		if lost == 0 || len(wrong) > 0 || time.Since(begun) > restTime {
			fmt.Printf("bus: the address: %d events of %d\n", all-lost, all)
			if lost+len(wrong) > 0 {
				return fmt.Errorf("the address has not taken %d of %d events; %v", lost, all, wrong[:min(len(wrong), most)])
			}
			return nil
		}
		if err := realfault.Pause(ctx, 300*time.Millisecond); err != nil {
			return err
		}
	}
}

// read reads the events in a topic, all that are committed, by partition.
func read(ctx context.Context, c mortal.Cluster, topic string, bodies bool) ([]found, error) {
	cl, err := clientOf(c.Addrs(), kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords())
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	defer cl.Close()
	ends, err := kadm.NewClient(cl).ListCommittedOffsets(ctx, topic)
	if err := errors.Join(err, ends.Error()); err != nil {
		return nil, fmt.Errorf("look where %s ends: %w", topic, err)
	}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if o.Offset > 0 {
			left[o.Partition] = o.Offset
		}
	})
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	var out []found
	for len(left) > 0 {
		got := cl.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read %s: %d partitions are not at their ends: %w", topic, len(left), err)
		}
		got.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if r.Attrs.IsControl() {
				return
			}
			f := found{partition: r.Partition, offset: r.Offset, atMs: r.Timestamp.UnixMilli()}
			if f.event, err = eventIn(r.Value, bodies); err != nil {
				f.Lane = fmt.Sprintf("%s-%d@%d: %v: ", topic, r.Partition, r.Offset, err)
			}
			out = append(out, f)
		})
	}
	return out, nil
}

// eventIn reads an event: data, or the envelope with it.
func eventIn(value []byte, body bool) (e event, err error) {
	if !body {
		return e, json.Unmarshal(value, &e)
	}
	var envelope struct{ Detail event }
	err = json.Unmarshal(value, &envelope)
	return envelope.Detail, err
}
