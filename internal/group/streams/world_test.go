package streams_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/group/streams"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
)

// world is a machine with streams groups, stepped by hand.
type world struct {
	t      *testing.T
	m      *group.Machine
	own    streams.Own
	now    time.Time
	image  *metadata.Image
	log    []coordinator.Record
	timers map[any]coordinator.Timer
	count  int
	refuse string // why internal topics are not made
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, now: time.UnixMilli(1e12).UTC(), image: metadata.Empty(), timers: map[any]coordinator.Timer{}}
	w.own = streams.Own{Session: 45 * time.Second, Assignment: -1}
	w.m = w.machine()
	return w
}

func (w *world) machine() *group.Machine {
	s := streams.Defaults()
	s.Image = func() *metadata.Image { return w.image }
	s.Of = func(string) streams.Own { return w.own }
	s.Count = func(n int) { w.count += n }
	s.MaxSize = 6
	s.Create = func(topics []schema.StreamsTopic) []string {
		out := make([]string, len(topics))
		for i, t := range topics {
			if out[i] = w.refuse; w.refuse == "" {
				w.make(t.Name, int(t.Partitions))
			}
		}
		return out
	}
	o := group.Defaults()
	o.Kinds = []func(kind.Host) kind.Kind{streams.New(s)}
	return group.New(o)
}

func idOf(name string) uuid.UUID { return uuid.UUID([]byte(fmt.Sprintf("%-16.16s", name))) }

// make makes or grows a topic, of which nobody is told.
func (w *world) make(name string, partitions int) {
	w.t.Helper()
	var recs []metadata.Record
	have := 0
	if old := w.image.TopicByName(name); old != nil {
		have = len(old.Partitions)
	} else {
		recs = append(recs, &metadata.TopicRecord{Name: name, ID: idOf(name)})
	}
	for i := have; i < partitions; i++ {
		recs = append(recs, &metadata.PartitionRecord{TopicID: idOf(name), Partition: int32(i), Replicas: []int32{1}, ISR: []int32{1}, Leader: 1})
	}
	img, _, err := w.image.With(w.image.Offset+1, 1, recs...)
	if err != nil {
		w.t.Fatal(err)
	}
	w.image = img
}

func (w *world) topic(name string, partitions int) {
	w.t.Helper()
	w.make(name, partitions)
	w.do(group.TopicsChanged{Names: []string{name}})
}

// do steps a command twice, which must say the same, takes over what it says,
// and holds that a machine that reads the log is at the same state.
func (w *world) do(body any) (any, error) {
	w.t.Helper()
	cmd := coordinator.Command{Token: 1, Wall: w.now, Body: body}
	out, err := w.m.Step(w.now, cmd)
	again, _ := w.m.Step(w.now, cmd)
	if !reflect.DeepEqual(out.Records, again.Records) || !reflect.DeepEqual(out.Replies, again.Replies) {
		w.t.Fatalf("%+v: a second Step says something else", body)
	}
	if err != nil {
		return nil, err
	}
	for _, r := range out.Records {
		w.log = append(w.log, r)
		w.m.Apply(r)
	}
	if out.Accepted != nil {
		out.Accepted()
	}
	for _, x := range out.Timers {
		if delete(w.timers, x.Key); !x.At.IsZero() {
			w.timers[x.Key] = x
		}
	}
	for _, x := range out.Work {
		w.do(x.Run())
	}
	for _, r := range out.Replies {
		if r.Token == 1 {
			return r.Body, r.Err
		}
	}
	return nil, nil
}

// pass lets time go by.
func (w *world) pass(d time.Duration) {
	w.now = w.now.Add(d)
	for again := true; again; {
		again = false
		for key, x := range w.timers {
			if !x.At.After(w.now) {
				delete(w.timers, key)
				w.do(x.Body)
				again = true
				break
			}
		}
	}
}

// crash puts a machine that has read the log, whole or as a snapshot, in place
// of the one that is there.
func (w *world) crash(snapshot bool) {
	w.t.Helper()
	next := w.machine()
	w.count = 0
	if snapshot {
		var recs []coordinator.Record
		for r := range w.m.Records() {
			recs = append(recs, r)
		}
		w.log = recs
	}
	for _, r := range w.log {
		next.Apply(r)
	}
	if a, b := dump(w.m), dump(next); a != b {
		w.t.Fatalf("after a replay the state is\n%s\nnot\n%s", b, a)
	}
	w.m = next
	loaded, err := next.Step(w.now, coordinator.Command{Wall: w.now, Body: coordinator.Loaded{}})
	if err != nil {
		w.t.Fatal(err)
	}
	if loaded.Accepted != nil {
		loaded.Accepted()
	}
	clear(w.timers)
	for _, x := range loaded.Timers {
		w.timers[x.Key] = x
	}
}

func dump(m *group.Machine) string {
	var b strings.Builder
	for r := range m.Records() {
		fmt.Fprintf(&b, "%x=%x\n", r.Key, r.Value)
	}
	return b.String()
}

// client is a member as an instance of Kafka Streams behaves.
type client struct {
	w           *world
	id, process string
	instance    *string
	epoch       int32
	has         schema.StreamsAssignment
	topology    schema.StreamsTopologyValue
	at          *schema.StreamsEndpoint
	endpoints   int32
	tags        []schema.StreamsPair
	last        streams.Beat
}

func (w *world) client(id, process string, topology schema.StreamsTopologyValue) *client {
	return &client{w: w, id: id, process: process, topology: topology, endpoints: -1}
}

// request is what the member says: everything when it joins, later what it has.
func (c *client) request() streams.Heartbeat {
	h := streams.Heartbeat{
		Group: "g", MemberID: c.id, Epoch: c.epoch, EndpointEpoch: c.endpoints, InstanceID: c.instance, RebalanceMs: -1,
		ClientID: "c", ClientHost: "/h", SaidActive: true, SaidStandby: true, SaidWarmup: true, Version: 1,
	}
	if c.epoch == 0 {
		t := c.topology
		h.Topology, h.RebalanceMs, h.ProcessID = &t, 60000, &c.process
		h.Endpoint, h.Tags, h.SaidTags = c.at, c.tags, true
		return h
	}
	h.Owned = c.has
	return h
}

// beat reports and takes over what is answered, as a client that gives up at
// once what it is told to.
func (c *client) beat() streams.Beat {
	c.w.t.Helper()
	b, err := c.try(c.request())
	if err != nil {
		c.w.t.Fatalf("%s at %d: %v", c.id, c.epoch, err)
	}
	return b
}

func (c *client) try(h streams.Heartbeat) (streams.Beat, error) {
	c.w.t.Helper()
	body, err := c.w.do(h)
	if err != nil {
		return streams.Beat{}, err
	}
	b := body.(streams.Beat)
	if c.epoch, c.endpoints, c.last = b.Epoch, b.EndpointEpoch, b; b.Assigned {
		c.has = b.Tasks
	}
	return b, nil
}

func (c *client) leave(epoch int32) {
	c.w.t.Helper()
	h := streams.Heartbeat{Group: "g", MemberID: c.id, InstanceID: c.instance, Epoch: epoch, RebalanceMs: -1}
	if _, err := c.w.do(h); err != nil {
		c.w.t.Fatalf("%s leaves: %v", c.id, err)
	}
	c.epoch, c.has = 0, schema.StreamsAssignment{}
}

func (c *client) refused(want wire.Code, change func(*streams.Heartbeat)) {
	c.w.t.Helper()
	h := c.request()
	change(&h)
	if _, err := c.w.do(h); wire.CodeOf(err) != want {
		c.w.t.Errorf("%+v: %v, want %v", h, err, want)
	}
}

// show lists tasks by role.
func show(v schema.StreamsAssignment) string {
	var out []string
	for i, list := range [][]schema.StreamsTasks{v.Active, v.Standby, v.Warmup} {
		for _, t := range list {
			out = append(out, fmt.Sprintf("%s%s%v", []string{"", "standby ", "warmup "}[i], t.Subtopology, t.Partitions))
		}
	}
	return strings.Join(out, " ")
}

func codes(list []streams.Status) string {
	var out []string
	for _, s := range list {
		out = append(out, fmt.Sprint(s.Code))
	}
	return strings.Join(out, " ")
}

func (w *world) describe() streams.Described {
	w.t.Helper()
	body, err := w.do(streams.Describe{Group: "g"})
	if err != nil {
		w.t.Fatal(err)
	}
	return body.(streams.Described)
}

// plain is a topology of one stateless subtopology that reads a topic.
func plain(topic string) schema.StreamsTopologyValue {
	return schema.StreamsTopologyValue{Subtopologies: []schema.Subtopology{{ID: "0", Sources: []string{topic}}}}
}

// words counts words: a topic goes through a repartition topic into a store.
func words() schema.StreamsTopologyValue {
	return schema.StreamsTopologyValue{Subtopologies: []schema.Subtopology{
		{ID: "0", Sources: []string{"in"}, Sinks: []string{"app-repartition"}},
		{
			ID: "1", Repartitions: []schema.StreamsTopic{{Name: "app-repartition"}},
			Changelogs: []schema.StreamsTopic{{Name: "app-changelog", Configs: []schema.StreamsPair{{Key: "cleanup.policy", Value: "compact"}}}},
		},
	}}
}
