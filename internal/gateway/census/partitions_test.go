package census

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/metric"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// TestFollowersAreSoFarBehind: in records and in time, each by itself; one that has
// everything is not behind, however long ago it came to have it.
func TestFollowersAreSoFarBehind(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	clock := func() time.Time { return now }
	dir, err := log.OpenDir(log.DirOptions{FS: vfs.NewMem(0), Path: "/data", Now: clock})
	must(t, err)
	p := partition.New(partition.Options{Topic: "orders", ID: uuid.UUID{5}, NodeID: 1, Now: clock, Config: partition.Config{
		Log:   log.Config{SegmentBytes: 1 << 20, Durability: log.Replicated},
		Rules: record.Rules{MaxBatchBytes: 1 << 20, MaxDecompressed: 1 << 20, BeforeMaxMs: 1 << 60, AfterMaxMs: 1 << 60}, MinInsync: 1,
	}})
	must(t, p.Open(dir))
	must(t, p.Become(partition.Role{Leader: 1, Replicas: []int32{1, 2, 3, 4}, ISR: []int32{1, 2, 3}}))
	for range 3 {
		b := record.NewBuilder()
		b.Add(now.UnixMilli(), nil, []byte("x"))
		var a partition.Appended
		must(t, p.Append(b.Build(0), &partition.AppendArgs{Acks: 1}, &a))
	}
	for id, offset := range map[int32]int64{2: 3, 3: 1} {
		var f partition.Fetched
		must(t, p.FetchReplica(&partition.ReplicaArgs{Replica: id, BrokerEpoch: -1, Synced: offset, FetchArgs: partition.FetchArgs{Offset: offset, LastFetchedEpoch: -1}}, &f))
	}
	now = now.Add(7 * time.Second)
	w := httptest.NewRecorder()
	metric.PageDetail.Handler(func(_ context.Context, sheet *metric.Sheet) {
		s := &scrape{Options: Options{Steady: func() int64 { return now.UnixMilli() }}, sheet: sheet}
		s.followers("orders", 0, p, 3)
	}).ServeHTTP(w, httptest.NewRequest("GET", string(metric.PageDetail), nil))
	for _, want := range []string{
		`ottla_replica_lag_records{partition="0",replica="2",topic="orders"} 0`, `ottla_replica_lag_seconds{partition="0",replica="2",topic="orders"} 0`,
		`ottla_replica_lag_records{partition="0",replica="3",topic="orders"} 2`, `ottla_replica_lag_seconds{partition="0",replica="3",topic="orders"} 7`,
		`ottla_replica_lag_records{partition="0",replica="4",topic="orders"} 3`, `ottla_replica_lag_seconds{partition="0",replica="4",topic="orders"} +Inf`,
	} {
		if !strings.Contains(w.Body.String(), want) {
			t.Errorf("the page lacks %s:\n%s", want, w.Body)
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
