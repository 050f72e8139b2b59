package group

import (
	"slices"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
)

// turn is one Step in the making: it gathers the output, and changes a copy
// of the group at hand.
type turn struct {
	m     *Machine
	now   time.Time // what time-outs go by
	wall  time.Time // what the log is dated by, and offsets expire by
	token coordinator.Token
	out   *coordinator.Output

	id    string // of the group at hand
	draft *live  // its copy, once it is changed
}

// done closes the turn.
func (t *turn) done() coordinator.Output {
	t.install()
	return *t.out
}

// install takes the draft over once the turn's records are accepted.
func (t *turn) install() {
	if t.draft == nil {
		return
	}
	m, id, d := t.m, t.id, t.draft
	t.kind().Then(func() {
		if g := m.groups[id]; g != nil {
			g.live = d
		}
	})
}

// kind is the turn as kinds see it.
func (t *turn) kind() *kind.Turn {
	return &kind.Turn{Now: t.now, Wall: t.wall, Token: t.token, Out: t.out}
}

// edit begins a change of a group: the copy is installed when the records of
// this turn are accepted.
func (t *turn) edit(id string, l *live) *live {
	d := *l
	d.members = slices.Clone(l.members)
	t.id, t.draft = id, &d
	return &d
}

// change gives a copy of a member, which takes its place in the draft.
func (d *live) change(i int) *member {
	m := *d.members[i]
	d.members[i] = &m
	return &m
}

// changeByID is change for a member that is there.
func (d *live) changeByID(id string) *member {
	i, _ := d.members.find(id)
	return d.change(i)
}

// answer replies to the caller of this turn.
func (t *turn) answer(body any) { t.reply(t.token, body) }

// reply answers a caller; token 0 is nobody.
func (t *turn) reply(to coordinator.Token, body any) {
	if to != 0 {
		t.out.Replies = append(t.out.Replies, coordinator.Reply{Token: to, Body: body})
	}
}

// refuse answers a caller with an error.
func (t *turn) refuse(to coordinator.Token, err error) {
	if to != 0 {
		t.out.Replies = append(t.out.Replies, coordinator.Reply{Token: to, Err: err})
	}
}

// store writes the metadata of the group as the draft has it.
func (t *turn) store(d *live) {
	t.write(schema.AppendGroupKey(nil, t.id), schema.AppendGroupValue(nil, d.value()))
}

// write adds a record; a nil value is a tombstone.
func (t *turn) write(key, value []byte) {
	t.out.Records = append(t.out.Records, coordinator.Record{Key: key, Value: value})
}

// full tells whether the turn has as many tombstones as one may have.
func (t *turn) full() bool { return len(t.out.Records) >= fullAt }

// Keys and bodies of timers.
type (
	sessionKey struct{ group, member string }
	joinKey    struct{ group string }
	syncKey    struct{ group string }
	sweepKey   struct{}
	buryKey    struct{ group string }
	goneKey    DeletedTopic

	// sessionDue: a member gave no sign of life for its session timeout.
	sessionDue struct{ group, member string }
	// joinDue: a rebalance has waited long enough for joins. initial is set
	// while an empty group waits for more members; it ends at end.
	joinDue struct {
		group   string
		initial bool
		end     time.Time
	}
	// syncDue: the members of a generation had time enough to sync.
	syncDue struct {
		group      string
		generation int32
	}
	// crowdedDue: a loaded group has more members than it may have.
	crowdedDue struct{ group string }
	// sweepDue: time to look for expired offsets.
	sweepDue struct{}
)

func (t *turn) timer(key any, in time.Duration, body any) {
	t.out.Timers = append(t.out.Timers, coordinator.Timer{Key: key, At: t.now.Add(in), Body: body})
}

func (t *turn) cancel(key any) {
	t.out.Timers = append(t.out.Timers, coordinator.Timer{Key: key})
}

// alive starts a member's session anew.
func (t *turn) alive(group string, m *member) {
	t.timer(sessionKey{group, m.id}, m.session(), sessionDue{group, m.id})
}
