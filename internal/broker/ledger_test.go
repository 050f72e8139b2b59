package broker

import (
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/vfs"
)

// ledger is a coordinator's machine for tests: numbers by name.
type ledger struct {
	partition int32
	numbers   map[string]uint64
}

// set makes a number, get reads one.
type (
	setNumber struct {
		name string
		to   uint64
	}
	getNumber  struct{ name string }
	allNumbers struct{}
)

func newLedger(partition int32) coordinator.Machine {
	l := &ledger{partition: partition}
	l.Reset()
	return l
}

func (l *ledger) Reset() { l.numbers = map[string]uint64{} }

func (l *ledger) Step(_ time.Time, cmd coordinator.Command) (coordinator.Output, error) {
	var out coordinator.Output
	reply := func(body any) { out.Replies = []coordinator.Reply{{Token: cmd.Token, Body: body}} }
	switch c := cmd.Body.(type) {
	case setNumber:
		out.Records = []coordinator.Record{numberRecord(c.name, c.to)}
		reply(nil)
	case getNumber:
		reply(l.numbers[c.name])
	case allNumbers:
		reply(maps.Clone(l.numbers))
	}
	return out, nil
}

func (l *ledger) Apply(r coordinator.Record) {
	if len(r.Value) == 8 {
		l.numbers[string(r.Key)] = binary.BigEndian.Uint64(r.Value)
	}
}

// Records implements coordinator.Lister.
func (l *ledger) Records() iter.Seq[coordinator.Record] {
	return func(yield func(coordinator.Record) bool) {
		for _, name := range slices.Sorted(maps.Keys(l.numbers)) {
			if !yield(numberRecord(name, l.numbers[name])) {
				return
			}
		}
	}
}

func numberRecord(name string, n uint64) coordinator.Record {
	return coordinator.Record{Key: []byte(name), Value: binary.BigEndian.AppendUint64(nil, n)}
}

// ledgers is a node with ledgers on the offsets topic.
type ledgers struct {
	*rig
	rt *coordinator.Runtime
}

func startLedgers(t testing.TB, f vfs.FS) *ledgers {
	t.Helper()
	return startLedgersIn(t, f, "/")
}

func startLedgersIn(t testing.TB, f vfs.FS, root string) *ledgers {
	t.Helper()
	l := &ledgers{}
	l.rig = startIn(t, f, root, 1, func(r *rig, o *Options) {
		l.rt = coordinator.NewRuntime(coordinator.Options{
			Topic: OffsetsTopic, New: newLedger, Now: r.now, SnapshotBytes: 700,
			Partitions: func() int {
				topic := r.broker.Image().TopicByName(OffsetsTopic)
				if topic == nil {
					return 0
				}
				return len(topic.Partitions)
			},
		})
		o.Coordinators = map[string]*coordinator.Runtime{OffsetsTopic: l.rt}
	})
	return l
}

func (l *ledgers) stop() {
	l.t.Helper()
	l.rt.Close()
	l.rig.stop()
}
