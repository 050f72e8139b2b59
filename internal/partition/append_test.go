package partition

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/record"
	"ottla/internal/vfs"
	"ottla/internal/wire"
)

func TestAppendGivesOffsetsAndTheLeaderEpoch(t *testing.T) {
	r := memRig(t)
	r.lead(7)
	first := r.put(batch(3, 100, "a"), all)
	second := r.put(batch(2, 100, "b"), all)
	if first.BaseOffset != 0 || first.End != 3 || second.BaseOffset != 3 || second.End != 5 {
		t.Fatalf("got %+v and %+v, want offsets 0 to 3 and 3 to 5", first, second)
	}
	if first.LogAppendTimeMs != -1 || first.Duplicate || first.LogStartOffset != 0 {
		t.Errorf("got %+v, want no append time, no duplicate", first)
	}
	r.round()
	_, b := r.get(at(0))
	hs := split(t, b)
	if len(hs) != 2 || hs[0].BaseOffset != 0 || hs[1].BaseOffset != 3 || hs[0].LeaderEpoch != 7 || hs[1].LeaderEpoch != 7 {
		t.Errorf("stored headers %+v, want base offsets 0 and 3 in epoch 7", hs)
	}
	if e, ok := r.p.log.Load().Epochs().Latest(); !ok || e.Epoch != 7 || e.Start != 0 {
		t.Errorf("latest epoch entry %+v %v, want 7 at 0", e, ok)
	}
}

func TestAppendRefuses(t *testing.T) {
	broken := func(how func(b []byte)) []byte {
		b := batch(1, 100, "x")
		how(b)
		return b
	}
	future := record.NewBuilder()
	future.Add(epochOfTests.Add(2*time.Hour).UnixMilli(), nil, []byte("v"))
	keyless := func() []byte {
		b := record.NewBuilder()
		b.Add(epochOfTests.UnixMilli(), nil, []byte("v"))
		return b.Build(0)
	}
	cases := []struct {
		name   string
		b      []byte
		args   AppendArgs
		adjust func(*Config)
		want   wire.Code
	}{
		{"acks 2", batch(1, 10, "x"), AppendArgs{Acks: 2}, nil, wire.InvalidRequiredAcks},
		{"damaged", broken(func(b []byte) { b[len(b)-1] ^= 1 }), all, nil, wire.CorruptMessage},
		{"magic 1", broken(func(b []byte) { b[16] = 1 }), all, nil, wire.InvalidRecord},
		{"empty", nil, all, nil, wire.InvalidRecord},
		{"too large", batch(1, 2000, "x"), all, func(c *Config) { c.Rules.MaxBatchBytes = 1000 }, wire.MessageTooLarge},
		{"larger than a segment", batch(1, 2000, "x"), all, func(c *Config) { c.Log.SegmentBytes = 1000 }, wire.RecordListTooLarge},
		{"future", future.Build(0), all, nil, wire.InvalidTimestamp},
		{"null key, compacted", keyless(), all, func(c *Config) { c.Rules.RequireKeys = true }, wire.InvalidRecord},
		{"control by a client", marker(1, 0, true), all, nil, wire.InvalidRecord},
		{"internal topic", batch(1, 10, "x"), all, func(c *Config) { c.Log.Internal = true }, wire.InvalidTopic},
		{"transactional without id", batch(1, 10, "x", from(1, 0, 0), transactional), all, nil, wire.TransactionalIDAuthorizationFailed},
		{"transactional, nobody vouches", batch(1, 10, "x", from(1, 0, 0), transactional),
			AppendArgs{Acks: -1, Transactional: true}, func(c *Config) { c.VerifyTransactions = true }, wire.InvalidTxnState},
		{"our own control batch, damaged", broken(func(b []byte) { b[22] |= 1 << 5 }), ours, nil, wire.CorruptMessage},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := memRig(t, func(conf *Config) {
				if c.adjust != nil {
					c.adjust(conf)
				}
			})
			r.refuse(c.b, c.args, c.want)
			if o := r.p.Offsets(); o.LogEnd != 0 {
				t.Errorf("a refused batch moved the log end to %d", o.LogEnd)
			}
		})
	}
}

// What a coordinator knows may be of a time that is to come: its clock was moved back.
func TestACoordinatorsOwnRecordsAreOfAnyTime(t *testing.T) {
	for _, age := range []time.Duration{-1000 * time.Hour, 1000 * time.Hour} {
		r := memRig(t, func(c *Config) {
			c.Log.Internal = true
			c.Rules.BeforeMaxMs = 1000
		})
		b := record.NewBuilder()
		b.Add(epochOfTests.Add(-age).UnixMilli(), []byte("k"), []byte("v"))
		var got Appended
		if err := r.p.Append(b.Build(0), &ours, &got); err != nil {
			t.Errorf("a record that is %v old: %v", age, err)
		}
	}
}

func TestAppendNamesTheBadRecords(t *testing.T) {
	r := memRig(t, func(c *Config) { c.Rules.RequireKeys = true })
	b := record.NewBuilder()
	b.Add(epochOfTests.UnixMilli(), []byte("k"), []byte("v"))
	b.Add(epochOfTests.UnixMilli(), nil, []byte("v"))
	err := r.refuse(b.Build(0), all, wire.InvalidRecord)
	var bad *record.Error
	if !errors.As(err, &bad) || len(bad.Records) != 1 || bad.Records[0].Index != 1 {
		t.Errorf("got %#v, want the record 1 named (KIP-467)", err)
	}
}

func TestAppendIsRefusedWithoutTheLead(t *testing.T) {
	r := memRig(t)
	unopened := r.fresh()
	var got Appended
	if err := unopened.Append(batch(1, 10, "x"), &all, &got); !errors.Is(err, wire.NotLeaderOrFollower) {
		t.Errorf("before Open: got %v, want NOT_LEADER_OR_FOLLOWER", err)
	}
	r.become(Role{Leader: 2, LeaderEpoch: 1, PartitionEpoch: 1, Replicas: []int32{1, 2}, ISR: []int32{2}})
	r.refuse(batch(1, 10, "x"), all, wire.NotLeaderOrFollower)
}

func TestTooFewInSyncReplicasRefuseAcksAllOnly(t *testing.T) {
	r := memRig(t, func(c *Config) { c.MinInsync = 2 })
	r.put(batch(1, 10, "one replica is all there are"), all)
	r.become(Role{Leader: 1, LeaderEpoch: 1, PartitionEpoch: 1, Replicas: []int32{1, 2, 3}, ISR: []int32{1}})
	r.refuse(batch(1, 10, "x"), all, wire.NotEnoughReplicas)
	r.put(batch(1, 10, "x"), AppendArgs{Acks: 1})
}

func TestLogAppendTimeIsStampedByTheLeader(t *testing.T) {
	r := memRig(t, func(c *Config) { c.Rules.AppendTime = true })
	r.clock.Advance(time.Minute)
	now := r.clock.Now().UnixMilli()
	sent := batch(2, 10, "x")
	producers := split(t, bytes.Clone(sent))[0].BaseTimestamp
	got := r.put(sent, all)
	if got.LogAppendTimeMs != now {
		t.Errorf("append time %d, want %d", got.LogAppendTimeMs, now)
	}
	r.round()
	_, b := r.get(at(0))
	h := split(t, b)[0]
	if !h.LogAppendTime() || h.MaxTimestamp != now || h.BaseTimestamp != producers || producers == now {
		t.Errorf("stored %+v, want the append time %d as max and the producer's %d as base", h, now, producers)
	}
}

func TestAWrongMaxTimestampIsPutRight(t *testing.T) {
	r := memRig(t)
	b := batch(3, 10, "x")
	record.SetTimestamps(b, 12345, false)
	r.put(b, all)
	r.round()
	_, stored := r.get(at(0))
	if h := split(t, stored)[0]; h.MaxTimestamp != epochOfTests.UnixMilli()+2 {
		t.Errorf("stored maximum %d, want %d", h.MaxTimestamp, epochOfTests.UnixMilli()+2)
	}
}

func TestCompressionTypeOfTheTopicWins(t *testing.T) {
	for _, codec := range []record.Codec{record.None, record.Gzip, record.Snappy, record.LZ4, record.Zstd} {
		t.Run(codec.String(), func(t *testing.T) {
			r := memRig(t, func(c *Config) { c.Recompress, c.Codec = true, codec })
			for _, sent := range []record.Codec{record.None, record.LZ4} {
				r.put(batch(5, 300, "x", func(b *record.Builder) { b.Codec = sent }), all)
			}
			r.round()
			_, b := r.get(at(0))
			hs := split(t, b)
			if len(hs) != 2 || hs[1].BaseOffset != 5 {
				t.Fatalf("stored %+v, want two batches of 5", hs)
			}
			for _, h := range hs {
				if h.Codec() != codec {
					t.Errorf("stored codec %s, want %s", h.Codec(), codec)
				}
			}
			n := 0
			if err := record.Walk(b[:hs[0].Size()], 1<<20, func(x *record.Record) bool { n++; return len(x.Value) == 300 }); err != nil || n != 5 {
				t.Errorf("walked %d records of the first, %v; want 5", n, err)
			}
		})
	}
}

func TestAFullDiskRefusesAndRecovers(t *testing.T) {
	disk := vfs.NewMem(1 << 20)
	c := plain()
	r := newRig(t, disk, "/data", c)
	n := int64(0)
	var err error
	for range 10_000 {
		var got Appended
		if err = r.p.Append(batch(1, 8000, "x"), &all, &got); err != nil {
			break
		}
		n = got.End
	}
	if wire.CodeOf(err) != wire.KafkaStorageError || !errors.Is(err, log.ErrDiskFull) {
		t.Fatalf("after %d records: got %v, want KAFKA_STORAGE_ERROR for a full disk", n, err)
	}
	r.round()
	if o := r.p.Offsets(); o.HighWatermark != n || o.LogEnd != n {
		t.Errorf("offsets %+v, want all at %d", o, n)
	}
	if f, b := r.get(at(n - 1)); f.HighWatermark != n || len(split(t, b)) != 1 {
		t.Errorf("reading goes on: got %d bytes, high watermark %d", len(b), f.HighWatermark)
	}
	// A transaction that could not begin holds nothing back.
	r.refuse(batch(1, 8000, "x", from(9, 0, 0), transactional), ours, wire.KafkaStorageError)
	if o := r.p.Offsets(); o.LastStable != n {
		t.Errorf("last stable offset %d, want %d", o.LastStable, n)
	}
}
