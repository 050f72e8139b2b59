package replicate

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/partition"
	"ottla/internal/record"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
	"ottla/internal/wire/pull"
)

// patience is how long a test waits for what must come.
const patience = time.Minute

// rig is a node that follows node 2, whose answers the test gives.
type rig struct {
	t     *testing.T
	dir   *log.Dir
	parts []*partition.Partition
	all   *Fetchers
	dials chan *leader // connections, as they are made
	fail  chan error   // what the next dials answer
}

// leader is node 2's end of a connection.
type leader struct {
	t    *testing.T
	conn net.Conn
}

var topicID = uuid.UUID{9}

func newRig(t *testing.T, partitions int32, adjust ...func(*Options, *partition.Config)) *rig {
	t.Helper()
	return newRigOn(t, vfs.NewMem(0), partitions, adjust...)
}

func newRigOn(t *testing.T, disk vfs.FS, partitions int32, adjust ...func(*Options, *partition.Config)) *rig {
	t.Helper()
	r := &rig{t: t, dials: make(chan *leader, 64), fail: make(chan error, 64)}
	var err error
	r.dir, err = log.OpenDir(log.DirOptions{FS: disk, Path: "/data", Now: time.Now, VerifyAge: time.Hour})
	must(t, err)
	o, c := Options{
		NodeID: 1, BrokerEpoch: func() int64 { return 77 }, Open: r.open,
		Settings: func() Settings {
			return Settings{PartitionBytes: 1 << 20, ResponseBytes: 10 << 20, Wait: 500 * time.Millisecond, Backoff: 50 * time.Millisecond, Silence: patience}
		},
	}, partition.Config{
		Log:       log.Config{SegmentBytes: 1 << 30, IndexBytes: 10 << 20, IndexIntervalBytes: 4096, Delete: true, MaxDecompressed: 64 << 20},
		MinInsync: 1,
	}
	for _, f := range adjust {
		f(&o, &c)
	}
	for i := range partitions {
		p := partition.New(partition.Options{Topic: "orders", ID: topicID, Index: i, NodeID: 1, Now: time.Now, Config: c})
		must(t, p.Open(r.dir))
		r.parts = append(r.parts, p)
	}
	r.all = New(o)
	t.Cleanup(r.all.Close)
	return r
}

func (r *rig) open(_ context.Context, node int32) (net.Conn, error) {
	if node != 2 {
		return nil, errors.New("there is no such node")
	}
	select {
	case err := <-r.fail:
		return nil, err
	default:
	}
	near, far := net.Pipe()
	r.dials <- &leader{r.t, far}
	return near, nil
}

// follow gives a partition its role and has it followed.
func (r *rig) follow(index, epoch int32) {
	r.t.Helper()
	must(r.t, r.parts[index].Become(partition.Role{Leader: 2, LeaderEpoch: epoch, PartitionEpoch: epoch, Replicas: []int32{1, 2}, ISR: []int32{1, 2}}))
	r.all.Follow(r.parts[index], 2, epoch)
}

func (r *rig) dial() *leader {
	r.t.Helper()
	select {
	case l := <-r.dials:
		return l
	case <-time.After(patience):
		r.t.Fatal("nobody connects")
	}
	return nil
}

// next reads a request: a fetch, or progress.
func (l *leader) next() (correlation int32, fetch *pull.Request, progress *own.ProgressRequest) {
	l.t.Helper()
	must(l.t, l.conn.SetReadDeadline(time.Now().Add(patience)))
	var size [4]byte
	_, err := io.ReadFull(l.conn, size[:])
	must(l.t, err)
	b := make([]byte, binary.BigEndian.Uint32(size[:]))
	_, err = io.ReadFull(l.conn, b)
	must(l.t, err)
	h, body, err := wire.ParseHeader(b)
	must(l.t, err)
	if h.Key == own.KeyReplicaProgress {
		progress = new(own.ProgressRequest)
		must(l.t, progress.ReadFrom(body))
		return h.CorrelationID, nil, progress
	}
	if h.Key != wire.KeyFetch || h.Version != pull.Version {
		l.t.Fatalf("a request of key %d version %d", h.Key, h.Version)
	}
	fetch = new(pull.Request)
	must(l.t, fetch.Parse(body))
	return h.CorrelationID, fetch, nil
}

// fetch reads the next fetch, whatever is told in between.
func (l *leader) fetch() (int32, *pull.Request) {
	l.t.Helper()
	for {
		if c, q, _ := l.next(); q != nil {
			return c, q
		}
	}
}

// answer sends rows.
func (l *leader) answer(correlation int32, code wire.Code, rows ...pull.Row) {
	l.t.Helper()
	b := wire.BeginFrame(nil)
	b = binary.BigEndian.AppendUint32(b, uint32(correlation))
	b = append(b, 0)
	b = pull.AppendHead(b, code, 5, pull.Runs(rows))
	for i := 0; i < len(rows); {
		n := pull.Run(rows, i)
		b = pull.AppendTopic(b, rows[i].Topic, n)
		for ; n > 0; n-- {
			b = append(pull.AppendRow(b, &rows[i], len(rows[i].Records)), rows[i].Records...)
			b = pull.AppendRowEnd(b, &rows[i])
			i++
		}
		b = pull.AppendEnd(b)
	}
	b = pull.AppendEnd(b)
	wire.EndFrame(b, 0, 0)
	must(l.t, l.conn.SetWriteDeadline(time.Now().Add(patience)))
	_, err := l.conn.Write(b)
	must(l.t, err)
}

// row is what the leader has for a partition: a batch of one record each.
func row(index int32, high int64, epoch int32, offset int64, values ...string) pull.Row {
	x := pull.Row{Key: pull.Key{Topic: topicID, Index: index}, High: high}
	for i, v := range values {
		b := record.NewBuilder()
		b.Add(1_700_000_000_000, nil, []byte(v))
		raw := b.Build(offset + int64(i))
		record.SetLeaderEpoch(raw, epoch)
		x.Records = append(x.Records, raw...)
	}
	return x
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
