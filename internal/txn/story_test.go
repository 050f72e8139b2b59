package txn

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/coordinator"
	"ottla/internal/txn/schema"
	"ottla/internal/wire"
)

// Stories (testdata/stories): each command is given to the machine as a shard
// would, and what it did is the expected text. Callers are #1, #2, …; markers
// are written when the story says "written".
// `go test ./internal/txn -run Stories -rewrite` writes them anew; read the
// difference before you keep it.
//
//	init [id=a] [timeout=60s] [p=N e=N]    p and e: what the producer has
//	add | verify [id=a] p=N e=N [v=2]      partitions, a line each
//	commit | abort [id=a] p=N e=N [v=2]
//	describe [id=a], list [states=a|b] [ids=N] [open=D] [pattern=RE], sweep
//	written [id=a] [fenced], advance D, restart
//	level N, settings NAME=D, epoch [id=a] N (a record sets it)
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{world: newWorld(t)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t, s.d = t, d
			out := s.run()
			s.sameAfterReplay()
			return out
		})
	})
}

type story struct {
	*world
	d *datadriven.TestData
}

func (s *story) run() string {
	switch s.d.Cmd {
	case "advance":
		return s.advance(s.dur(s.d.CmdArgs[0].Key))
	case "restart":
		before := len(s.writes)
		s.restart()
		return s.marks(s.writes, 0, before)
	case "written":
		return s.tellWritten()
	case "level":
		s.level = int16(s.first())
		return ""
	case "settings":
		s.setUp()
		return ""
	case "epoch":
		return s.setEpoch()
	}
	begun := len(s.writes)
	token, out, err := s.ask(s.command())
	if err != nil {
		return fmt.Sprintf("#%d refused: %s\n", token, wire.CodeOf(err).Name())
	}
	text := s.show(out) + s.marks(s.writes, begun, 0) + s.settle()
	if s.asked[token] {
		text += fmt.Sprintf("#%d waits\n", token)
	}
	return text
}

// settle runs what is due at once.
func (s *story) settle() string {
	var b strings.Builder
	for {
		begun := len(s.writes)
		out, ok := s.fire(s.now)
		if !ok {
			return b.String()
		}
		b.WriteString(s.show(out) + s.marks(s.writes, begun, 0))
	}
}

func (s *story) advance(d time.Duration) string {
	var b strings.Builder
	until := s.now.Add(d)
	for {
		begun := len(s.writes)
		out, ok := s.fire(until)
		if !ok {
			break
		}
		if text := s.show(out) + s.marks(s.writes, begun, 0); text != "" {
			fmt.Fprintf(&b, "%s:\n%s", s.now.Sub(start), text)
		}
	}
	s.now = until
	return b.String()
}

func (s *story) tellWritten() string {
	id := s.arg("id", "a")
	var err error
	if s.d.HasArg("fenced") {
		err = wire.TransactionCoordinatorFenced
		s.fenced[id] = true
	}
	if !s.written(id, err) {
		return "nothing is being written\n"
	}
	return s.settle()
}

func (s *story) setUp() {
	for _, a := range s.d.CmdArgs {
		d := s.dur(a.Vals[0])
		switch a.Key {
		case "max":
			s.s.MaxTimeout = d
		case "expiration":
			s.s.Expiration = d
		case "check":
			s.s.AbortInterval = d
		case "forget":
			s.s.ForgetCheck = d
		default:
			s.d.Fatalf(s.t, "no setting %s", a.Key)
		}
	}
	s.restart()
}

// setEpoch writes a record with another epoch, so that a story need not count
// to 32766.
func (s *story) setEpoch() string {
	id := s.arg("id", "a")
	m := *s.m.ids[id].meta
	for _, a := range s.d.CmdArgs {
		if n, err := strconv.Atoi(a.Key); err == nil {
			m.epoch = int16(n)
		}
	}
	r := coordinator.Record{Key: schema.AppendKey(nil, id), Value: schema.AppendValue(nil, m.value(), 1)}
	s.log = append(s.log, r)
	s.m.Apply(r)
	return s.record(r)
}

func (s *story) first() int {
	n, err := strconv.Atoi(s.d.CmdArgs[0].Key)
	if err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	return n
}

func (s *story) dur(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	return d
}

// arg gives an argument or a default.
func (s *story) arg(key, otherwise string) string {
	for _, a := range s.d.CmdArgs {
		if a.Key == key && len(a.Vals) > 0 {
			return a.Vals[0]
		}
	}
	return otherwise
}

func (s *story) num(key string, otherwise int64) int64 {
	n, err := strconv.ParseInt(s.arg(key, strconv.FormatInt(otherwise, 10)), 10, 64)
	if err != nil {
		s.d.Fatalf(s.t, "%s: %v", key, err)
	}
	return n
}

// command parses what to do.
func (s *story) command() any {
	id, p, e, v := s.arg("id", "a"), s.num("p", -1), int16(s.num("e", -1)), int16(s.num("v", 2))
	if id == "none" {
		id = ""
	}
	switch s.d.Cmd {
	case "init":
		return Init{ID: id, TimeoutMs: int32(s.dur(s.arg("timeout", "60s")).Milliseconds()), ProducerID: p, Epoch: e, FreshID: -1}
	case "add":
		return Add{ID: id, ProducerID: p, Epoch: e, Version: v, Partitions: s.partitions()}
	case "verify":
		return Verify{ID: id, ProducerID: p, Epoch: e, Partitions: s.partitions()}
	case "commit", "abort":
		return End{ID: id, ProducerID: p, Epoch: e, Commit: s.d.Cmd == "commit", Version: v, FreshID: -1}
	case "describe":
		return Describe{ID: id}
	case "sweep":
		return Sweep{}
	case "list":
		return s.list()
	case "foreign":
		return struct{}{}
	}
	s.d.Fatalf(s.t, "no command %s", s.d.Cmd)
	return nil
}

func (s *story) list() List {
	c := List{DurationMs: -1}
	for _, name := range strings.Split(s.arg("states", ""), "|") {
		if st, ok := StateNamed(name); ok {
			c.States = append(c.States, st)
		}
	}
	if n := s.num("ids", -1); n >= 0 {
		c.ProducerIDs = []int64{n}
	}
	if d := s.arg("open", ""); d != "" {
		c.DurationMs = s.dur(d).Milliseconds()
	}
	if re := s.arg("pattern", ""); re != "" {
		c.Pattern = regexp.MustCompile(re)
	}
	return c
}

func (s *story) partitions() []TopicPartition {
	var out []TopicPartition
	for _, line := range strings.Fields(s.d.Input) {
		topic, n, _ := strings.Cut(line, "/")
		p, _ := strconv.Atoi(n)
		out = append(out, TopicPartition{topic, int32(p)})
	}
	return out
}

// show tells what an output did.
func (s *story) show(out coordinator.Output) string {
	var b strings.Builder
	for _, r := range out.Records {
		b.WriteString(s.record(r))
	}
	for _, r := range out.Replies {
		if r.Err != nil {
			fmt.Fprintf(&b, "#%d refused: %s\n", r.Token, wire.CodeOf(r.Err).Name())
			continue
		}
		now := ""
		if r.Now {
			now = " at once"
		}
		fmt.Fprintf(&b, "#%d%s%s\n", r.Token, now, s.body(r.Body))
	}
	return b.String()
}

func (s *story) record(r coordinator.Record) string {
	id, _, err := schema.ParseKey(r.Key)
	if err != nil {
		s.t.Fatal(err)
	}
	if r.Value == nil {
		return fmt.Sprintf("write %s: gone\n", id)
	}
	v, version, err := schema.ParseValue(r.Value)
	if err != nil {
		s.t.Fatal(err)
	}
	text := fmt.Sprintf("write %s v%d: %s producer %d epoch %d", id, version, State(v.Status), v.ProducerID, v.Epoch)
	if v.PreviousProducerID != v.ProducerID && v.PreviousProducerID >= 0 {
		text += fmt.Sprintf(" previous %d", v.PreviousProducerID)
	}
	if v.NextProducerID >= 0 {
		text += fmt.Sprintf(" next %d", v.NextProducerID)
	}
	if v.ClientVersion != 0 {
		text += fmt.Sprintf(" client %d", v.ClientVersion)
	}
	if v.StartMs >= 0 {
		text += fmt.Sprintf(" since %s", time.UnixMilli(v.StartMs).Sub(start))
	}
	return fmt.Sprintf("%s at %s%s\n", text, time.UnixMilli(v.LastUpdateMs).Sub(start), names(partitionsOf(v.Topics)))
}

func names(parts []TopicPartition) string {
	var b strings.Builder
	for _, tp := range parts {
		fmt.Fprintf(&b, " %s/%d", tp.Topic, tp.Partition)
	}
	return b.String()
}

// marks shows the marker writes from begun on.
func (s *story) marks(writes []*write, begun, before int) string {
	var b strings.Builder
	for _, x := range writes[min(begun, len(writes)):] {
		outcome := "abort"
		if x.Commit {
			outcome = "commit"
		}
		fmt.Fprintf(&b, "mark %s %s producer %d epoch %d coordinator %d v%d%s\n", x.ID, outcome, x.ProducerID, x.ProducerEpoch, x.CoordinatorEpoch, x.Version, names(x.Partitions))
	}
	if before > 0 {
		fmt.Fprintf(&b, "(%d writes were forgotten)\n", before)
	}
	return b.String()
}

func (s *story) body(body any) string {
	switch r := body.(type) {
	case nil:
		return ": ok"
	case InitReply:
		return fmt.Sprintf(": producer %d epoch %d", r.ProducerID, r.Epoch)
	case EndReply:
		return fmt.Sprintf(": ended, producer %d epoch %d", r.ProducerID, r.Epoch)
	case VerifyReply:
		var b strings.Builder
		for _, c := range r.Codes {
			b.WriteString(" " + c.Name())
		}
		return ":" + b.String()
	case Described:
		return fmt.Sprintf(": %s producer %d epoch %d timeout %dms since %d%s", r.State, r.ProducerID, r.Epoch, r.TimeoutMs, max(r.StartMs-start.UnixMilli(), -1), names(r.Partitions))
	case []Listed:
		var b strings.Builder
		for _, l := range r {
			fmt.Fprintf(&b, " %s(%d %s)", l.ID, l.ProducerID, l.State)
		}
		return ":" + b.String()
	case bool:
		return fmt.Sprintf(": more %t", r)
	}
	return fmt.Sprintf(": %T", body)
}

func TestTheLastEpochIsKeptForFencing(t *testing.T) {
	for epoch, want := range map[int16]bool{0: false, math.MaxInt16 - 2: false, math.MaxInt16 - 1: true, math.MaxInt16: true} {
		if EpochsUsedUp(epoch) != want {
			t.Errorf("epoch %d: used up %t, want %t", epoch, !want, want)
		}
	}
}
