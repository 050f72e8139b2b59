package coordinator

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/record"
	"ottla/internal/wire"
)

// Stories (testdata/stories) step a core by hand over a log in memory. What
// leaves and what is written is the expected text:
// `go test ./internal/coordinator -run Stories -rewrite` writes it anew; read
// the difference before you keep it.
//
//	turn          each line a command of the toy machine, all in one turn; a
//	              leading "gone:" is a caller whose context has ended
//	pass D        time passes, then a turn
//	commit        what is written is committed
//	lead E, resign, fence E (the log has another leader, unsaid)
//	cut           what is not committed is lost, and the waiters told so
//	foreign       somebody else writes to the log (which must never be)
//	replicas few|enough; disk full|fine; log unreadable|readable
//	snapshots every=BYTES; spoil byte|version|cleaned
//	state, log
type story struct {
	t       *testing.T
	c       *core
	m       *toy
	log     *memLog
	now     time.Time
	out     strings.Builder
	flights []*flight
	results []result
	calls   int
}

func newStory(t *testing.T) *story {
	s := &story{t: t, m: newToy(), now: time.UnixMilli(1_700_000_000_000)}
	s.log = &memLog{most: 1000, trace: &s.out}
	s.c = newCore(coreOptions{
		topic: "__toys", logger: slog.New(slog.DiscardHandler), metrics: &Metrics{},
		synced: func(f *flight) { s.flights = append(s.flights, f) },
		work:   func(life uint64, w Work) { s.results = append(s.results, result{life, w.Run()}) },
		keep: func(life uint64, k Keeper, x *snapshot) {
			s.results = append(s.results, result{life, kept{k.Keep(x.file, x.end)}})
			h, records, _ := decodeSnapshot(x.file)
			n := 0
			for range records {
				n++
			}
			fmt.Fprintf(&s.out, "  keep %d records at %d\n", n, h.offset)
		},
		show: func(p phase) { fmt.Fprintf(&s.out, "  %s\n", phaseText[p]) },
	}, 3, s.m)
	return s
}

var phaseText = map[phase]string{idle: "idle", loading: "loading", active: "active", failed: "failed"}

func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := newStory(t)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			s.out.Reset()
			s.run(d)
			return s.out.String()
		})
	})
}

func (s *story) run(d *datadriven.TestData) {
	arg := ""
	if len(d.CmdArgs) > 0 {
		arg = d.CmdArgs[0].Key
	}
	switch d.Cmd {
	case "turn":
		s.turn(strings.FieldsFunc(d.Input, func(r rune) bool { return r == '\n' }))
	case "pass":
		dur, err := time.ParseDuration(arg)
		if err != nil {
			d.Fatalf(s.t, "%v", err)
		}
		s.now = s.now.Add(dur)
		s.turn(nil)
	case "commit":
		s.log.commit()
		s.land()
		s.turn(nil) // as the shell does
	case "cut":
		s.log.lose(wire.NotLeaderOrFollower)
		s.land()
		s.turn(nil)
	case "lead":
		var e int32
		d.ScanArgs(s.t, "epoch", &e)
		s.c.lead(context.Background(), s.now, s.log.tail(e))
		s.land()
		s.turn(nil)
	case "fence":
		var e int32
		d.ScanArgs(s.t, "epoch", &e)
		s.log.tail(e)
	case "foreign":
		b := record.NewBuilder()
		b.Add(0, []byte("f"), []byte("1"))
		s.log.auto = true
		_, _, err := (&memTail{s.log, s.log.epoch}).Append(b.Build(0), nil)
		s.log.auto = false
		if err != nil {
			d.Fatalf(s.t, "%v", err)
		}
	case "resign":
		s.c.resign(errIdle)
	case "replicas":
		s.log.small = arg == "few"
	case "disk":
		s.log.refuse = nil
		if arg == "full" {
			s.log.refuse = wire.Errorf(wire.KafkaStorageError, "the disk is full")
		}
	case "log":
		switch arg {
		case "unreadable":
			s.log.unread = wire.Errorf(wire.CorruptMessage, "rot")
		case "readable":
			s.log.unread = nil
		default:
			for _, b := range s.log.batches {
				fmt.Fprintf(&s.out, "  %s\n", batchText(b))
			}
		}
	case "snapshots":
		d.ScanArgs(s.t, "every", &s.c.snapshotEvery)
	case "spoil":
		switch arg {
		case "byte":
			s.log.file[len(s.log.file)/2] ^= 1
		case "version":
			s.log.file[len(snapshotMagic)+1]++
			b := s.log.file[:len(s.log.file)-crcSize]
			s.log.file = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
		case "cleaned":
			s.log.cleaned = true
		}
	case "state":
		fmt.Fprintf(&s.out, "  %s\n", s.m)
	default:
		d.Fatalf(s.t, "unknown command %s", d.Cmd)
	}
}

// turn gives the core calls, and what else came meanwhile.
func (s *story) turn(lines []string) {
	var calls []*call
	for _, line := range lines {
		ctx := context.Background()
		if rest, ok := strings.CutPrefix(line, "gone:"); ok {
			c, cancel := context.WithCancel(ctx)
			cancel()
			ctx, line = c, strings.TrimSpace(rest)
		}
		s.calls++
		n := s.calls
		calls = append(calls, &call{ctx: ctx, body: line, done: func(body any, err error) {
			if err != nil {
				fmt.Fprintf(&s.out, "  #%d %s: %s\n", n, line, wire.CodeOf(err).Name())
				return
			}
			fmt.Fprintf(&s.out, "  #%d %s -> %q\n", n, line, body)
		}})
	}
	results := s.results
	s.results = nil
	s.c.turn(s.now, results, calls)
	s.land()
}

// land gives the core what has been committed meanwhile.
func (s *story) land() {
	for len(s.flights) > 0 {
		f := s.flights[0]
		s.flights = s.flights[1:]
		s.c.committedTo(s.now, f)
	}
}
