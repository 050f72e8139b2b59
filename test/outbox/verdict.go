package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"
)

// verdict is what the topic has of the changes.
type verdict struct {
	changes, once, twice, missing, foreign, unordered, left int
	example                                                 string // of what is wrong
}

func (v *verdict) String() string {
	return fmt.Sprintf("%d changes, %d once, %d twice, %d missing, %d that are none, %d out of order, %d rows left", v.changes, v.once, v.twice, v.missing, v.foreign, v.unordered, v.left)
}

func (v *verdict) wrong() error {
	if v.changes == 0 {
		return errors.New("nothing was changed: this proves nothing")
	}
	if v.once != v.changes || v.twice+v.foreign+v.unordered+v.left > 0 {
		return fmt.Errorf("wrong: %v, as %s", v, v.example)
	}
	return nil
}

func judge(ctx context.Context, d database, c *kgo.Client) (*verdict, error) {
	db, err := d.connect()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	v, want := &verdict{}, map[string]int{} // change to how often it is there
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM outbox").Scan(&v.left); err != nil {
		return nil, err
	}
	rows, err := db.QueryContext(ctx, "SELECT writer, n FROM changes")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var writer, n int
		if err := rows.Scan(&writer, &n); err != nil {
			return nil, err
		}
		want[fmt.Sprintf("%d-%d", writer, n)] = 0
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	v.changes = len(want)
	all, err := committed(ctx, c, topic, parts)
	if err != nil {
		return nil, err
	}
	v.count(want, all)
	return v, nil
}

func (v *verdict) count(want map[string]int, all []*kgo.Record) {
	last := map[int]int{} // by writer; a key is in one partition
	for _, r := range all {
		change := string(r.Value)
		seen, ok := want[change]
		var writer, n int
		if _, err := fmt.Sscanf(change, "%d-%d", &writer, &n); err != nil || !ok {
			v.foreign++
			v.example = "the record " + change
			continue
		}
		want[change]++
		switch {
		case seen > 0:
			v.twice++
			v.example = "twice " + change
		case n < last[writer]:
			v.unordered++
			v.example = fmt.Sprintf("%s behind %d", change, last[writer])
		}
		last[writer] = max(last[writer], n)
	}
	for change, n := range want {
		switch n {
		case 0:
			v.missing++
			v.example = "missing " + change
		case 1:
			v.once++
		}
	}
}

// committed is what the topic has, up to records that are put at its ends.
func committed(ctx context.Context, c *kgo.Client, topic string, parts int32) (all []*kgo.Record, err error) {
	seeds := kgo.SeedBrokers(c.OptValue(kgo.SeedBrokers).([]string)...)
	p, err := kgo.NewClient(seeds, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return nil, err
	}
	defer p.Close()
	var ends []*kgo.Record
	for i := range parts {
		ends = append(ends, &kgo.Record{Topic: topic, Partition: i, Value: []byte("end")})
	}
	if err := p.ProduceSync(ctx, ends...).FirstErr(); err != nil {
		return nil, err
	}
	r, err := kgo.NewClient(seeds, kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for left := len(ends); left > 0; {
		got := r.PollFetches(ctx)
		if err := got.Err(); err != nil {
			return nil, err
		}
		for _, rec := range got.Records() {
			if rec.Offset == ends[rec.Partition].Offset {
				left--
			} else {
				all = append(all, rec)
			}
		}
	}
	return all, nil
}
