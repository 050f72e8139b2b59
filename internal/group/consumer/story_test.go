package consumer

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// Stories (testdata/stories): each command is given to the kind as a shard
// would, and what it did is the expected text. Clients remember their epoch and
// what they were given. `go test ./internal/group/consumer -run Stories
// -rewrite` writes them anew; read the difference before you keep it.

func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/stories", func(t *testing.T, path string) {
		s := &story{world: newWorld(t), clients: map[string]*client{}}
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
	d       *datadriven.TestData
	clients map[string]*client
}

func (s *story) run() string {
	switch s.d.Cmd {
	case "settings":
		return s.settings()
	case "topic":
		n := len(s.log)
		s.topic(s.arg("name", "t"), s.num("partitions", 1))
		return s.records(n)
	case "delete-topic":
		n := len(s.log)
		s.deleteTopic(s.arg("name", "t"))
		return s.records(n)
	case "join", "beat", "leave":
		return s.beat()
	case "classic-group":
		return s.classicGroup()
	case "classic-join":
		return s.classicJoin()
	case "classic-sync", "classic-beat":
		return s.classicSync()
	case "classic-leave":
		return s.classicLeave()
	case "commit":
		return s.commit()
	case "fetch":
		return oneError(s.k.MayFetch("g", text(s.arg("m", "")), int32(s.num("epoch", -1))))
	case "work":
		n := len(s.log)
		if _, ok := s.work(); !ok {
			return "nothing to do\n"
		}
		return s.records(n)
	case "advance":
		return s.advance()
	case "restart":
		s.restart()
		return ""
	case "describe":
		return s.describe()
	}
	s.d.Fatalf(s.t, "no command %s", s.d.Cmd)
	return ""
}

func (s *story) settings() string {
	times := s.s.Of("")
	for _, a := range s.d.CmdArgs {
		dur, _ := time.ParseDuration(a.Vals[0])
		switch a.Key {
		case "session":
			times.Session = dur
		case "assignment":
			times.Assignment = dur
		case "heartbeat":
			times.Heartbeat = dur
		case "size":
			s.s.MaxSize, _ = strconv.Atoi(a.Vals[0])
		case "upgrade":
			s.s.Upgrade = a.Vals[0] == "yes"
		case "downgrade":
			s.s.Downgrade = a.Vals[0] == "yes"
		}
	}
	s.s.Of = func(string) Times { return times }
	s.k.s = s.s
	return ""
}

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
	return text(s.arg(key, ""))
}

func (s *story) num(key string, otherwise int) int {
	n, err := strconv.Atoi(s.arg(key, strconv.Itoa(otherwise)))
	if err != nil {
		s.d.Fatalf(s.t, "%s: %v", key, err)
	}
	return n
}

func (s *story) list(key string) []string {
	if v := s.arg(key, ""); v != "" {
		return strings.Split(v, "+")
	}
	return nil
}

func (s *story) client(id string) *client {
	if s.clients[id] == nil {
		s.clients[id] = &client{id: id}
	}
	return s.clients[id]
}

// beat gives a heartbeat: a join says everything, a beat what is given, and
// always (but for "quiet") what the client has.
func (s *story) beat() string {
	cl := s.client(s.arg("m", "a"))
	b := Heartbeat{
		Group: s.arg("g", "g"), MemberID: cl.id, Epoch: int32(s.num("epoch", int(cl.epoch))), InstanceID: s.maybe("instance"),
		RackID: s.maybe("rack"), Assignor: s.maybe("assignor"), Regex: s.maybe("regex"), Topics: s.list("topics"),
		SaidTopics: s.d.HasArg("topics"), RebalanceMs: -1, Version: int16(s.num("v", 1)), ClientID: "c", ClientHost: "/h",
		Owned: cl.owned.parts(false), SaidOwned: !s.d.HasArg("quiet"),
	}
	if s.d.HasArg("quiet") {
		b.Owned = nil
	}
	if s.d.HasArg("owned") {
		b.Owned = s.parts(s.arg("owned", ""))
	}
	switch s.d.Cmd {
	case "join":
		b.Epoch, b.RebalanceMs, b.Owned = joining, int32(s.num("rebalance", 10000)), nil
	case "leave":
		b.Epoch = leaving
		if s.d.HasArg("soon") {
			b.Epoch = leavingSoon
		}
	}
	n := len(s.log)
	reply, err := s.do(b)
	if err != nil {
		return oneError(err)
	}
	r := reply.(Beat)
	if !s.d.HasArg("lost") && b.Epoch >= joining {
		cl.epoch = r.Epoch
		if r.Assigned {
			cl.owned = slotsOf(r.Assignment)
		}
	}
	out := s.records(n) + fmt.Sprintf("%s is at epoch %d", r.MemberID, r.Epoch)
	if r.Assigned {
		out += fmt.Sprintf(" with %s", s.named(slotsOf(r.Assignment), false))
	}
	return out + "\n"
}

// parts reads t:0,1+u:2.
func (s *story) parts(v string) (out []schema.TopicPartitions) {
	for one := range strings.SplitSeq(v, "+") {
		name, list, _ := strings.Cut(one, ":")
		p := schema.TopicPartitions{Topic: s.ids[name]}
		for n := range strings.SplitSeq(list, "/") {
			if i, err := strconv.Atoi(n); err == nil {
				p.Partitions = append(p.Partitions, int32(i))
			}
		}
		out = append(out, p)
	}
	return out
}

func oneError(err error) string {
	if err == nil {
		return "ok\n"
	}
	return fmt.Sprintf("%s: %s\n", wire.CodeOf(err).Name(), err.Error())
}

// named shows partitions by the names of topics.
func (s *story) named(list slots, epochs bool) string {
	names := map[uuid.UUID]string{}
	for name, id := range s.ids {
		names[id] = name
	}
	var out []string
	for _, p := range list.parts(true) {
		text := names[p.Topic]
		for i, n := range p.Partitions {
			text += fmt.Sprintf(" %d", n)
			if epochs {
				text += fmt.Sprintf("@%d", p.Epochs[i])
			}
		}
		out = append(out, text)
	}
	slices.Sort(out)
	return "[" + strings.Join(out, ", ") + "]"
}

// records shows what was written since a point of the log.
func (s *story) records(from int) string {
	out := ""
	for _, r := range s.log[from:] {
		out += s.record(r) + "\n"
	}
	return out
}

func (s *story) record(r coordinator.Record) string {
	k, _ := schema.ParseKey(r.Key)
	what := map[int16]string{
		schema.ConsumerGroupMetadata: "group", schema.ConsumerMember: "member", schema.ConsumerTarget: "target",
		schema.ConsumerPartitionMetadata: "partitions", schema.ConsumerTargetMember: "target of", schema.ConsumerCurrent: "current of", schema.ConsumerRegex: "regex",
	}[k.Type]
	if k.Member != "" {
		what += " " + k.Member
	}
	if r.Value == nil {
		return "write " + what + " gone"
	}
	switch k.Type {
	case schema.ConsumerGroupMetadata:
		v, _ := schema.ParseConsumerGroup(r.Value)
		return fmt.Sprintf("write %s epoch %d", what, v.Epoch)
	case schema.ConsumerMember:
		v, _ := schema.ParseConsumerMember(r.Value)
		text := fmt.Sprintf("write %s reads %v", what, v.Topics)
		for i, p := range []*string{v.Regex, v.InstanceID, v.RackID, v.Assignor} {
			if p != nil && *p != "" {
				text += fmt.Sprintf(" %s %s", []string{"regex", "instance", "rack", "assignor"}[i], *p)
			}
		}
		if v.Classic != nil {
			text += " classic"
		}
		return text
	case schema.ConsumerTarget:
		v, _ := schema.ParseTarget(r.Value)
		return fmt.Sprintf("write %s epoch %d", what, v.Epoch)
	case schema.ConsumerTargetMember:
		v, _ := schema.ParseTargetMember(r.Value)
		return fmt.Sprintf("write %s %s", what, s.named(slotsOf(v), false))
	case schema.ConsumerCurrent:
		v, _ := schema.ParseCurrent(r.Value)
		text := fmt.Sprintf("write %s epoch %d before %d %s %s", what, v.Epoch, v.Previous,
			[]string{"stable", "unrevoked", "unreleased", "unknown"}[min(uint8(v.State), 3)], s.named(slotsOf(v.Assigned), true))
		if len(v.Revoking) > 0 {
			text += " gives up " + s.named(slotsOf(v.Revoking), true)
		}
		return text
	}
	v, _ := schema.ParseRegex(r.Value)
	return fmt.Sprintf("write %s matches %v", what, v.Topics)
}

// advance lets time go by and shows what timers did.
func (s *story) advance() string {
	d, err := time.ParseDuration(s.d.CmdArgs[0].Key)
	if err != nil {
		s.d.Fatalf(s.t, "%v", err)
	}
	until, out := s.now.Add(d), ""
	for {
		n := len(s.log)
		if _, ok := s.fire(until); !ok {
			break
		}
		if text := s.records(n); text != "" {
			out += fmt.Sprintf("%v:\n%s", s.now.Sub(began), text)
		}
	}
	s.now = until
	return out
}

func (s *story) describe() string {
	reply, err := s.do(Describe{Group: s.arg("g", "g")})
	if err != nil {
		return oneError(err)
	}
	d := reply.(Described)
	out := fmt.Sprintf("%s epoch %d assigned %d by %s\n", d.State, d.Epoch, d.AssignmentEpoch, d.Assignor)
	for _, m := range d.Members {
		out += fmt.Sprintf("%s epoch %d has %v, shall have %v", m.ID, m.Epoch, shown(m.Assigned), shown(m.Target))
		if m.Classic {
			out += ", classic"
		}
		out += "\n"
	}
	return out
}

func shown(list []Assigned) (out []string) {
	for _, a := range list {
		out = append(out, fmt.Sprint(a.Topic, a.Partitions))
	}
	return out
}

func (s *story) commit() string {
	c := &kind.Commit{
		Group: "g", MemberID: s.arg("m", ""), Epoch: int32(s.num("epoch", -1)), Version: int16(s.num("v", 9)),
		Txn: s.d.HasArg("txn"), Parts: s.parts(s.arg("parts", "")),
	}
	return oneError(s.k.MayCommit(c))
}

// subscriptionOf is what a classic member says of itself.
func subscriptionOf(topics []string, owned []schema.NamedPartitions) []byte {
	b := schema.AppendAssignment(nil, 1, nil)[:2] // a version
	b = append(b, 0, 0, 0, byte(len(topics)))
	for _, t := range topics {
		b = append(append(b, 0, byte(len(t))), t...)
	}
	b = append(b, 0xff, 0xff, 0xff, 0xff)
	parts := schema.AppendAssignment(nil, 1, owned)
	return append(b, parts[2:len(parts)-4]...)
}

func (s *story) protocols(owned slots) []schema.ClassicProtocol {
	var out []schema.ClassicProtocol
	for _, name := range strings.Split(s.arg("protocols", "range"), "+") {
		out = append(out, schema.ClassicProtocol{Name: name, Metadata: subscriptionOf(s.list("topics"), s.k.byName(owned))})
	}
	return out
}

// classicGroup puts a classic group beside the kind: members=a:t:0/1+b:t:2
func (s *story) classicGroup() string {
	protocol := "range"
	g := &kind.ClassicGroup{Generation: int32(s.num("generation", 3)), ProtocolType: s.arg("type", "consumer"), Protocol: &protocol}
	for _, m := range s.list("members") {
		id, parts, _ := strings.Cut(m, ":")
		cl := s.client(id)
		cl.epoch, cl.owned = g.Generation, slotsOf(s.parts(parts))
		g.Members = append(g.Members, kind.ClassicMember{
			ID: id, ClientID: "c", ClientHost: "/h", RebalanceMs: 10000, SessionMs: 6000, Protocols: s.protocols(nil),
			Assignment: schema.AppendAssignment(nil, 1, s.k.byName(cl.owned)),
		})
	}
	s.host.classic["g"] = g
	return ""
}

func (s *story) classicJoin() string {
	cl := s.client(s.arg("m", "m"))
	c := &kind.ClassicJoin{
		Group: "g", ProtocolType: s.arg("type", "consumer"), NewID: s.arg("new", "new"), KnownIDs: s.d.HasArg("known"),
		Member: kind.ClassicMember{ID: cl.id, InstanceID: s.maybe("instance"), ClientID: "c", ClientHost: "/h", RebalanceMs: 10000, SessionMs: 6000},
	}
	if s.d.HasArg("new") {
		c.Member.ID = ""
	}
	c.Member.Protocols = s.protocols(cl.owned)
	n, t := len(s.log), s.turn(1)
	r, err := s.k.JoinClassic(t, c)
	if err != nil {
		return oneError(err)
	}
	s.accept(t)
	if r.Code != wire.None {
		return fmt.Sprintf("%s%s %s\n", s.records(n), r.Code.Name(), r.MemberID)
	}
	s.client(r.MemberID).epoch = r.Epoch
	return s.records(n) + fmt.Sprintf("%s joined generation %d by %s%s\n", r.MemberID, r.Epoch, r.Protocol, s.becameClassic())
}

// becameClassic tells of a group that was handed back to the machine.
func (s *story) becameClassic() string {
	g := s.host.classic["g"]
	if g == nil {
		return ""
	}
	out := fmt.Sprintf("\nclassic group: generation %d, protocol %s, rebalances %v", g.Generation, *g.Protocol, s.host.begun["g"])
	for _, m := range g.Members {
		a, _ := schema.ParseAssignment(m.Assignment)
		out += fmt.Sprintf("\n  %s has %v", m.ID, a.Parts)
	}
	return out
}

func (s *story) classicSync() string {
	cl := s.client(s.arg("m", "m"))
	c := &kind.ClassicSync{Group: "g", MemberID: cl.id, InstanceID: s.maybe("instance"), Generation: int32(s.num("generation", int(cl.epoch))),
		Protocol: s.maybe("protocol"), ProtocolType: s.maybe("type")}
	n, t := len(s.log), s.turn(1)
	if s.d.Cmd == "classic-beat" {
		err := s.k.HeartbeatClassic(t, c)
		s.accept(t)
		return s.records(n) + oneError(err)
	}
	r, err := s.k.SyncClassic(t, c)
	if err != nil {
		return oneError(err)
	}
	s.accept(t)
	a, err := schema.ParseAssignment(r.Assignment)
	if err != nil {
		s.t.Error(err)
	}
	cl.owned = s.k.byID(a.Parts)
	return s.records(n) + fmt.Sprintf("%s has %v by %s\n", cl.id, a.Parts, r.Protocol)
}

func (s *story) classicLeave() string {
	c := &kind.ClassicLeave{Group: "g"}
	for _, id := range s.list("m") {
		c.Members = append(c.Members, kind.ClassicLeaver{MemberID: id, InstanceID: s.maybe("instance")})
	}
	n, t := len(s.log), s.turn(1)
	codes := s.k.LeaveClassic(t, c)
	s.accept(t)
	var names []string
	for _, code := range codes {
		names = append(names, code.Name())
	}
	return s.records(n) + fmt.Sprintf("%v%s\n", names, s.becameClassic())
}
