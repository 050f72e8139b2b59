package group

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/coordinator"
	"ottla/internal/group/consumer"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// mixer drives a world with members of both protocols in one group (KIP-848):
// it becomes a consumer group and a classic one again as they come and go.
// Classic members are eager: they give everything up before they join.
type mixer struct {
	*world
	r       *rand.Rand
	img     *metadata.Image
	topic   uuid.UUID
	parts   int32
	members []*mixed
	askers  map[coordinator.Token]*mixed
	seen    map[string]int
	born    int
}

// mixed is a member of either protocol.
type mixed struct {
	served   bool // it speaks the consumer protocol
	id       string
	instance *string
	epoch    int32
	owned    []int32
	busy     bool // it waits for an answer
	news     bool // an answer was lost: it says everything again
	joined   bool // it has joined and must sync
	leader   bool
	others   []string // whom it leads
	dead     bool
}

func newMixer(t *testing.T, seed uint64) *mixer {
	m := &mixer{r: rand.New(rand.NewPCG(seed, 5)), topic: uuid.UUID{1}, parts: 6, askers: map[coordinator.Token]*mixed{}, seen: map[string]int{}}
	records := []metadata.Record{&metadata.TopicRecord{Name: "t", ID: m.topic}}
	for p := range m.parts {
		records = append(records, &metadata.PartitionRecord{TopicID: m.topic, Partition: p, Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: []uuid.UUID{{9}}})
	}
	img, _, err := metadata.Empty().With(1, 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	m.img = img
	c := consumer.Defaults()
	c.Image = func() *metadata.Image { return m.img }
	c.Of = func(string) consumer.Times { return consumer.Times{Session: 12 * time.Second, Assignment: -1} }
	s := Defaults()
	s.InitialDelay = time.Second
	s.Kinds = []func(kind.Host) kind.Kind{consumer.New(c)}
	m.world = newWorld(t, s)
	return m
}

// ask gives a command of a member; its answer may come at once or later.
func (m *mixer) ask(who *mixed, body any) {
	m.askers[m.token+1], who.busy = who, true
	token, out, err := m.do(body)
	if err != nil {
		m.told(token, coordinator.Reply{Token: token, Err: err})
	}
	m.hear(out)
}

func (m *mixer) hear(out coordinator.Output) {
	for _, r := range out.Replies {
		m.told(r.Token, r)
	}
}

func (m *mixer) told(token coordinator.Token, r coordinator.Reply) {
	who := m.askers[token]
	delete(m.askers, token)
	if who == nil || who.dead {
		return
	}
	who.busy = false
	code := wire.CodeOf(r.Err)
	switch b := r.Body.(type) {
	case consumer.Beat:
		who.epoch, who.news = b.Epoch, false
		if b.Assigned {
			who.owned = partitions(b.Assignment)
		}
	case JoinReply:
		if code = b.Code; code == wire.None {
			who.id, who.epoch, who.joined = b.MemberID, b.Generation, true
			who.leader, who.others = b.Leader == b.MemberID, nil
			for _, o := range b.Members {
				who.others = append(who.others, o.ID)
			}
		} else if code == wire.MemberIDRequired {
			who.id = b.MemberID
		}
	case SyncReply:
		if code = b.Code; code == wire.None {
			who.joined = false
			a, err := schema.ParseAssignment(b.Assignment)
			if err == nil && len(a.Parts) > 0 {
				who.owned = a.Parts[0].Partitions
			}
		}
	}
	m.learn(who, code)
}

// learn is what an error does to a member.
func (m *mixer) learn(who *mixed, code wire.Code) {
	m.seen[code.Name()]++
	switch code {
	case wire.UnknownMemberID, wire.FencedMemberEpoch, wire.GroupIDNotFound:
		who.epoch, who.owned, who.joined = 0, nil, false
		if !who.served {
			who.id = ""
		}
	case wire.IllegalGeneration, wire.RebalanceInProgress:
		who.epoch, who.owned, who.joined = 0, nil, false
	case wire.FencedInstanceID, wire.UnreleasedInstanceID:
		who.dead = true
	}
}

func partitions(parts []schema.TopicPartitions) (out []int32) {
	for i := range parts {
		out = append(out, parts[i].Partitions...)
	}
	return out
}

// act lets a member do what it does next.
func (m *mixer) act(who *mixed) {
	switch {
	case who.busy || who.dead:
	case who.served:
		m.beat(who)
	case who.joined:
		m.ask(who, m.syncOf(who))
	case who.epoch == 0:
		who.owned = nil
		j := Join{Group: "g", MemberID: who.id, InstanceID: who.instance, ClientID: "c", SessionMs: 12000, RebalanceMs: 8000,
			ProtocolType: "consumer", KnownIDs: true, NewID: m.newID()}
		j.Protocols = []Protocol{{"range", whole("t")}}
		m.ask(who, j)
	default:
		m.ask(who, Heartbeat{Group: "g", MemberID: who.id, InstanceID: who.instance, Generation: who.epoch})
	}
}

// whole is a subscription with all its fields.
func whole(topic string) []byte {
	s := kmsg.NewConsumerMemberMetadata()
	s.Version, s.Topics = 1, []string{topic}
	return s.AppendTo(nil)
}

func (m *mixer) beat(who *mixed) {
	b := consumer.Heartbeat{Group: "g", MemberID: who.id, Epoch: who.epoch, InstanceID: who.instance, RebalanceMs: -1, Version: 1, SaidOwned: true}
	if who.epoch == 0 || who.news {
		b.RebalanceMs, b.Topics, b.SaidTopics = 8000, []string{"t"}, true
	}
	if len(who.owned) > 0 {
		b.Owned = []schema.TopicPartitions{{Topic: m.topic, Partitions: who.owned}}
	}
	m.ask(who, b)
}

// syncOf is a member's sync; a leader deals the partitions out.
func (m *mixer) syncOf(who *mixed) Sync {
	name, protocolType := "range", "consumer"
	s := Sync{Group: "g", MemberID: who.id, InstanceID: who.instance, Generation: who.epoch, Protocol: &name, ProtocolType: &protocolType}
	for i, id := range who.others {
		var list []int32
		for p := int32(i); p < m.parts; p += int32(len(who.others)) {
			list = append(list, p)
		}
		s.Assignments = append(s.Assignments, Assignment{id, schema.AppendAssignment(nil, 1, []schema.NamedPartitions{{Topic: "t", Partitions: list}})})
	}
	return s
}

func (m *mixer) run(steps int) {
	for range steps {
		switch n := m.r.IntN(100); {
		case n < 6 && len(m.members) < 6:
			m.arrive()
		case n < 70 && len(m.members) > 0:
			m.act(m.members[m.r.IntN(len(m.members))])
		case n < 74 && len(m.members) > 0:
			m.leave(m.members[m.r.IntN(len(m.members))])
		case n < 76:
			m.restart()
			clear(m.askers)
			for _, who := range m.members {
				who.news, who.busy = who.news || who.busy, false
			}
			m.seen["restart"]++
		default:
			m.pass(time.Duration(m.r.IntN(1500)) * time.Millisecond)
		}
		m.hold()
		if m.t.Failed() {
			return
		}
	}
}

func (m *mixer) arrive() {
	m.born++
	who := &mixed{served: m.r.IntN(2) == 0}
	if who.served {
		who.id = fmt.Sprintf("s%03d", m.born)
	}
	if m.r.IntN(4) == 0 {
		name := fmt.Sprint("i", m.r.IntN(2))
		who.instance = &name
	}
	m.members = append(m.members, who)
}

// leave takes a member away, with a word or without.
func (m *mixer) leave(who *mixed) {
	if who.busy {
		return
	}
	switch {
	case m.r.IntN(2) == 0: // killed
	case who.served:
		m.ask(who, consumer.Heartbeat{Group: "g", MemberID: who.id, Epoch: -1, InstanceID: who.instance, RebalanceMs: -1, Version: 1})
	case who.id != "":
		m.ask(who, Leave{Group: "g", Members: []Leaver{{who.id, who.instance}}})
	}
	who.dead = true
	m.members = slices.DeleteFunc(m.members, func(o *mixed) bool { return o.dead })
}

func (m *mixer) pass(d time.Duration) {
	until := m.now.Add(d)
	for out, ok := m.fire(until); ok; out, ok = m.fire(until) {
		m.hear(out)
	}
	m.now = until
}

// standing tells whether somebody is a member, of a group of whatever kind.
func (m *mixer) standing() map[string]bool {
	in := map[string]bool{}
	if g := m.m.groups["g"]; g != nil {
		for _, one := range g.live.members {
			in[one.id] = true
		}
	}
	if k := m.m.kindOf("g"); k != nil {
		m.seen["consumer group"]++
		t := &kind.Turn{Now: m.now, Wall: m.now, Token: 1, Out: &coordinator.Output{}}
		if _, err := k.Step(t, consumer.Describe{Group: "g"}); err != nil {
			m.t.Fatal(err)
		}
		for _, one := range t.Out.Replies[0].Body.(consumer.Described).Members {
			in[one.ID] = true
		}
	} else if len(in) > 0 {
		m.seen["classic group"]++
	}
	return in
}

// hold holds that no two members have the same partition. Who is no member any
// more will hear so.
func (m *mixer) hold() {
	m.t.Helper()
	in, owner := m.standing(), map[int32]*mixed{}
	for _, who := range m.members {
		if who.dead || !in[who.id] {
			continue
		}
		for _, p := range who.owned {
			if other := owner[p]; other != nil {
				m.t.Errorf("partition %d is %s's (%+v) and %s's (%+v)", p, other.id, other, who.id, who)
			}
			owner[p] = who
		}
	}
}

// settle lets everybody go on until all partitions are owned.
func (m *mixer) settle() {
	m.t.Helper()
	m.pass(20 * time.Second)
	for range 60 {
		m.members = slices.DeleteFunc(m.members, func(o *mixed) bool { return o.dead })
		for _, who := range slices.Clone(m.members) {
			m.act(who)
			m.hold()
		}
		m.pass(500 * time.Millisecond)
		n, in := 0, m.standing()
		for _, who := range m.members {
			if in[who.id] {
				n += len(who.owned)
			}
		}
		if len(m.members) == 0 || n == int(m.parts) {
			return
		}
	}
	for _, who := range m.members {
		m.t.Errorf("never settled: %+v", who)
	}
	m.t.Errorf("%+v", m.m.listed("g"))
}

func TestMembersOfBothProtocolsNeverShareAPartition(t *testing.T) {
	seen := map[string]int{}
	for seed := range uint64(60) {
		m := newMixer(t, seed)
		for range 6 {
			m.run(60)
			m.sameAfterReplay()
			if !t.Failed() {
				m.settle()
				m.sameAfterReplay()
			}
			if t.Failed() {
				t.Fatalf("seed %d", seed)
			}
		}
		for what, n := range m.seen {
			seen[what] += n
		}
	}
	for _, what := range []string{"consumer group", "classic group", "restart", "REBALANCE_IN_PROGRESS", "UNKNOWN_MEMBER_ID"} {
		if seen[what] == 0 {
			t.Errorf("%s was never met: %v", what, seen)
		}
	}
}
