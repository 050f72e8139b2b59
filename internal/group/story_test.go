package group

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Stories (testdata/stories): each command is given to the machine as a shard
// would, and what it did is the expected text. Callers are #1, #2, …; member
// ids are short: a-1 is client (or instance) a with the first random part.
// `go test ./internal/group -run Stories -rewrite` writes them anew; read the
// difference before you keep it.

func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{world: newWorld(t, Defaults())}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			s.t = t
			out := s.run(d)
			s.sameAfterReplay()
			return out
		})
	})
}

type story struct {
	*world
	d *datadriven.TestData
}

func (s *story) run(d *datadriven.TestData) string {
	s.d = d
	switch d.Cmd {
	case "settings":
		s.setUp()
		return ""
	case "advance":
		return s.advance()
	case "restart":
		s.restart()
		return s.states()
	case "timers":
		return s.showTimers()
	case "record":
		return s.record()
	}
	token, out, err := s.do(s.command())
	if err != nil {
		return fmt.Sprintf("#%d refused: %s\n", token, oneError(err))
	}
	text := s.show(out)
	if s.parked[token] {
		text += fmt.Sprintf("#%d waits\n", token)
	}
	return text
}

func (s *story) setUp() {
	for _, a := range s.d.CmdArgs {
		v := a.Vals[0]
		n, _ := strconv.Atoi(v)
		dur, _ := time.ParseDuration(v)
		switch a.Key {
		case "delay":
			s.s.InitialDelay = dur
		case "max-size":
			s.s.MaxSize = n
		case "retention":
			s.s.Retention = dur
		case "check":
			s.s.RetentionCheck = dur
		case "metadata":
			s.s.MaxMetadata = n
		default:
			s.d.Fatalf(s.t, "no setting %s", a.Key)
		}
	}
	s.m.s = s.s
	s.restart()
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

func (s *story) maybe(key string) *string {
	if !s.d.HasArg(key) {
		return nil
	}
	v := s.arg(key, "")
	return &v
}

func (s *story) num(key string, otherwise int) int {
	n, err := strconv.Atoi(s.arg(key, strconv.Itoa(otherwise)))
	if err != nil {
		s.d.Fatalf(s.t, "%s: %v", key, err)
	}
	return n
}

func (s *story) ms(key, otherwise string) int32 {
	v, err := time.ParseDuration(s.arg(key, otherwise))
	if err != nil {
		s.d.Fatalf(s.t, "%s: %v", key, err)
	}
	return int32(v.Milliseconds())
}

var shortID = regexp.MustCompile(`^(.+)-(\d+)$`)

// long makes the id of a short one.
func long(id string) string {
	f := shortID.FindStringSubmatch(id)
	if f == nil {
		return id
	}
	n, _ := strconv.Atoi(f[2])
	return memberID(f[1], number(n))
}

var longID = regexp.MustCompile(`-00000000-0000-0000-0000-([0-9a-f]{12})`)

// short undoes long in a text.
func short(text string) string {
	return longID.ReplaceAllStringFunc(text, func(id string) string {
		n, _ := strconv.ParseInt(longID.FindStringSubmatch(id)[1], 16, 64)
		return fmt.Sprintf("-%d", n)
	})
}

func (s *story) topicID(name string) uuid.UUID {
	if n := s.num(name, 0); n > 0 {
		return number(1000 + n)
	}
	return uuid.UUID{}
}

// command parses what to do; g is the group, m the member.
func (s *story) command() any {
	group, member, instance := s.arg("g", "g"), long(s.arg("m", "")), s.maybe("instance")
	generation := int32(s.num("gen", -1))
	switch s.d.Cmd {
	case "join":
		return s.join(group, member, instance)
	case "sync":
		c := Sync{Group: group, MemberID: member, InstanceID: instance, Generation: generation, ProtocolType: s.maybe("type"), Protocol: s.maybe("protocol")}
		for _, line := range s.lines() {
			id, part, _ := strings.Cut(line, "=")
			c.Assignments = append(c.Assignments, Assignment{long(id), []byte(part)})
		}
		return c
	case "heartbeat":
		return Heartbeat{Group: group, MemberID: member, InstanceID: instance, Generation: generation}
	case "leave":
		return s.leave(group)
	case "commit":
		return s.commit(group, member, instance, generation)
	case "end-txn":
		end := coordinator.TxnCommit
		if s.d.HasArg("abort") {
			end = coordinator.TxnAbort
		}
		return EndTxn{coordinator.Txn{ProducerID: int64(s.num("producer", 0)), End: end}}
	case "fetch":
		c := Fetch{Group: group, RequireStable: s.d.HasArg("stable"), All: len(s.lines()) == 0}
		for _, line := range s.lines() {
			name, p := topicPartition(line)
			c.Topics = append(c.Topics, FetchTopic{Name: name, ID: s.topicID("id"), Partitions: []int32{p}})
		}
		return c
	case "delete-offsets":
		c := DeleteOffsets{Group: group}
		for _, line := range s.lines() {
			name, p := topicPartition(line)
			c.Topics = append(c.Topics, DeleteTopic{Name: name, Partitions: []int32{p}})
		}
		return c
	case "delete":
		return Delete{Group: group}
	case "describe":
		return Describe{Group: group}
	case "list":
		return List{States: s.list("states"), Types: s.list("types")}
	case "topic-deleted":
		return TopicsDeleted{[]DeletedTopic{{s.arg("topic", ""), s.topicID("id")}}}
	}
	s.d.Fatalf(s.t, "no command %s", s.d.Cmd)
	return nil
}

func (s *story) list(key string) []string {
	if v := s.arg(key, ""); v != "" {
		return strings.Split(v, "|")
	}
	return nil
}

func (s *story) lines() []string {
	return strings.FieldsFunc(s.d.Input, func(r rune) bool { return r == '\n' })
}

// topicPartition reads topic/partition.
func topicPartition(text string) (string, int32) {
	i := strings.LastIndexByte(text, '/')
	n, _ := strconv.Atoi(text[i+1:])
	return text[:i], int32(n)
}

// join: protocols=range:t1+t2|roundrobin:t1 says topics by protocol.
func (s *story) join(group, member string, instance *string) Join {
	v := s.num("v", 9)
	c := Join{
		Group: group, MemberID: member, InstanceID: instance, ClientID: s.arg("client", "a"), ClientHost: "/127.0.0.1",
		SessionMs: s.ms("session", "10s"), RebalanceMs: s.ms("rebalance", "60s"),
		ProtocolType: s.arg("type", "consumer"), KnownIDs: v >= 4, SkipAssignment: v >= 9,
	}
	if member == "" {
		c.NewID = s.newID()
	}
	if text := s.arg("protocols", "range:t"); text != "none" {
		for _, p := range strings.Split(text, "|") {
			name, topics, ok := strings.Cut(p, ":")
			if !ok {
				c.Protocols = append(c.Protocols, Protocol{name, []byte("?")})
				continue
			}
			c.Protocols = append(c.Protocols, Protocol{name, subscription(strings.Split(topics, "+")...)})
		}
	}
	return c
}

// subscription encodes a consumer's.
func subscription(topics ...string) []byte {
	b := []byte{0, 1, 0, 0, 0, byte(len(topics))}
	for _, t := range topics {
		b = append(append(b, 0, byte(len(t))), t...)
	}
	return append(b, 0xff, 0xff, 0xff, 0xff)
}

func (s *story) leave(group string) Leave {
	c := Leave{Group: group}
	for _, line := range s.lines() {
		id, instance, static := strings.Cut(line, " instance=")
		who := Leaver{MemberID: long(strings.TrimPrefix(id, "-"))}
		if static {
			who.InstanceID = &instance
		}
		c.Members = append(c.Members, who)
	}
	return c
}

// commit: a line is topic/partition=offset and its metadata.
func (s *story) commit(group, member string, instance *string, generation int32) Commit {
	c := Commit{Group: group, MemberID: member, InstanceID: instance, Generation: generation, RetentionMs: -1, TellsNotFound: s.num("v", 10) >= 9}
	if s.d.HasArg("retention") {
		c.RetentionMs = int64(s.ms("retention", ""))
	}
	if s.d.HasArg("producer") {
		c.Txn = &coordinator.Txn{ProducerID: int64(s.num("producer", 0))}
	}
	for _, line := range s.lines() {
		at, rest, _ := strings.Cut(line, "=")
		value, metadata, _ := strings.Cut(rest, " ")
		name, p := topicPartition(at)
		n, _ := strconv.ParseInt(value, 10, 64)
		c.Topics = append(c.Topics, CommitTopic{Name: name, ID: s.topicID("id"), Partitions: []CommitPartition{{p, n, int32(s.num("epoch", -1)), metadata}}})
	}
	return c
}

func (s *story) advance() string {
	d, err := time.ParseDuration(s.d.CmdArgs[0].Key)
	if err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	var b strings.Builder
	until := s.now.Add(d)
	for {
		out, ok := s.fire(until)
		if !ok {
			break
		}
		if text := s.show(out); text != "" {
			fmt.Fprintf(&b, "%s:\n%s", s.now.Sub(start), text)
		}
	}
	s.now = until
	return b.String()
}

// record puts something into the log that the machine did not write.
func (s *story) record() string {
	r := coordinator.Record{Key: []byte(unquote(s.arg("key", ""))), Value: []byte(unquote(s.arg("value", "")))}
	s.log = append(s.log, r)
	s.m.Apply(r)
	return ""
}

func unquote(text string) string {
	v, err := strconv.Unquote(`"` + text + `"`)
	if err != nil {
		panic(err)
	}
	return v
}

// show tells what an output did.
func (s *story) show(out coordinator.Output) string {
	var b strings.Builder
	for _, r := range out.Records {
		b.WriteString("write " + showRecord(r) + "\n")
	}
	for _, r := range out.Replies {
		if r.Err != nil {
			fmt.Fprintf(&b, "#%d error: %s\n", r.Token, oneError(r.Err))
			continue
		}
		fmt.Fprintf(&b, "#%d %s\n", r.Token, showReply(r.Body))
	}
	if out.Accepted != nil {
		b.WriteString(s.states())
	}
	return short(b.String())
}

func oneError(err error) string {
	code := wire.CodeOf(err)
	if text := wire.MessageOf(err); text != code.Text() {
		return code.Name() + " " + text
	}
	return code.Name()
}

// states shows the groups' members and rebalances.
func (s *story) states() string {
	var b strings.Builder
	for _, id := range s.m.ids() {
		l := s.m.groups[id].live
		fmt.Fprintf(&b, "%s is %s, generation %d", id, l.state, l.generation)
		for _, m := range l.members {
			mark := ""
			if m.id == l.leader {
				mark = "*"
			}
			if m.join != 0 {
				mark += " joined"
			}
			if m.sync != 0 {
				mark += " synced"
			}
			fmt.Fprintf(&b, ", %s%s", m.id, mark)
		}
		if len(l.pending) > 0 {
			fmt.Fprintf(&b, "; pending %s", strings.Join(l.pending, " "))
		}
		b.WriteString("\n")
	}
	return short(b.String())
}

func (s *story) showTimers() string {
	var b strings.Builder
	for _, tm := range s.timers {
		fmt.Fprintf(&b, "in %s: %T%+v\n", tm.At.Sub(s.now), tm.Key, tm.Key)
	}
	return short(b.String())
}

func showRecord(r coordinator.Record) string {
	if r.Txn != nil && r.Txn.End != coordinator.TxnData {
		return fmt.Sprintf("end of producer %d: %d", r.Txn.ProducerID, r.Txn.End)
	}
	k, err := schema.ParseKey(r.Key)
	if err != nil {
		return err.Error()
	}
	text := "group " + k.Group
	if k.IsOffset() {
		text = fmt.Sprintf("offset %s %s/%d", k.Group, k.Topic, k.Partition)
	}
	if r.Value == nil {
		return text + " gone"
	}
	if k.IsOffset() {
		v, err := schema.ParseOffsetValue(r.Value)
		text += fmt.Sprintf(" = %d epoch %d %q at %s", v.Offset, v.LeaderEpoch, v.Metadata, time.UnixMilli(v.CommitMs).Sub(start))
		if v.ExpireMs >= 0 {
			text += fmt.Sprintf(" until %s", time.UnixMilli(v.ExpireMs).Sub(start))
		}
		if !v.TopicID.IsZero() {
			text += fmt.Sprintf(" topic #%d", int(v.TopicID[14])<<8+int(v.TopicID[15])-1000)
		}
		if r.Txn != nil {
			text += fmt.Sprintf(" of producer %d", r.Txn.ProducerID)
		}
		return text + showErr(err)
	}
	v, err := schema.ParseGroupValue(r.Value)
	text += fmt.Sprintf(": type %q generation %d protocol %s leader %s", v.ProtocolType, v.Generation, orNil(v.Protocol), orNil(v.Leader))
	for _, m := range v.Members {
		text += fmt.Sprintf(", %s has %q", m.ID, m.Assignment)
	}
	return text + showErr(err)
}

func showErr(err error) string {
	if err != nil {
		return " " + err.Error()
	}
	return ""
}

func orNil(s *string) string {
	if s == nil {
		return "nil"
	}
	return *s
}

func showReply(body any) string {
	switch r := body.(type) {
	case nil:
		return "ok"
	case JoinReply:
		if r.Code != wire.None {
			return fmt.Sprintf("join: %s %s", r.Code.Name(), r.MemberID)
		}
		text := fmt.Sprintf("join: %s is in generation %d, %s %s, leader %s", r.MemberID, r.Generation, orNil(r.ProtocolType), orNil(r.Protocol), r.Leader)
		if r.SkipAssignment {
			text += ", skip assignment"
		}
		for _, m := range r.Members {
			text += ", " + m.ID
		}
		return text
	case SyncReply:
		if r.Code != wire.None {
			return "sync: " + r.Code.Name()
		}
		return fmt.Sprintf("sync: %s %s %q", orNil(r.ProtocolType), orNil(r.Protocol), r.Assignment)
	case LeaveReply:
		return "leave: " + names(r.Codes)
	case CommitReply:
		return "commit: " + names(slices.Concat(r.Codes...))
	case DeleteOffsetsReply:
		return "delete-offsets: " + names(slices.Concat(r.Codes...))
	case FetchReply:
		text := "fetch:"
		for _, topic := range r.Topics {
			for _, p := range topic.Partitions {
				text += fmt.Sprintf(" %s/%d=%d", topic.Name, p.Index, p.Offset)
				if p.LeaderEpoch >= 0 || p.Metadata != "" {
					text += fmt.Sprintf(" (epoch %d %q)", p.LeaderEpoch, p.Metadata)
				}
				if p.Code != wire.None {
					text += " " + p.Code.Name()
				}
			}
		}
		return text
	case Described:
		text := fmt.Sprintf("describe: %s %q %q", r.State, r.ProtocolType, r.Protocol)
		for _, m := range r.Members {
			text += fmt.Sprintf("\n  %s %s %s %s %q %q", m.ID, orNil(m.InstanceID), m.ClientID, m.ClientHost, m.Metadata, m.Assignment)
		}
		return text
	case []Listed:
		text := "list:"
		for _, g := range r {
			text += fmt.Sprintf(" %s (%s, %q)", g.ID, g.State, g.ProtocolType)
		}
		return text
	}
	return fmt.Sprintf("%T %+v", body, body)
}

func names(codes []wire.Code) string {
	var out []string
	for _, c := range codes {
		if c == wire.None {
			out = append(out, "ok")
			continue
		}
		out = append(out, c.Name())
	}
	return strings.Join(out, " ")
}
