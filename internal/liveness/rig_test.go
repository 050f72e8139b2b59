package liveness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// cluster is a controller in memory with a Keeper beside it, at node 1, and
// Speakers of its nodes. It is for one bubble of synctest.
type cluster struct {
	t      *testing.T
	keeper *Keeper

	mu       sync.Mutex // guards all below
	c        *controller.Controller
	img      *metadata.Image
	speakers map[int32]*Speaker
	lags     map[int32]bool  // nodes that do not apply what they hear
	cut      map[int32]bool  // nodes whose heartbeats do not arrive
	refuse   error           // of every command
	carried  []string        // the commands that came
	beats    map[int32]int   // heartbeats that were asked
	probes   map[int32]error // what a probe of a node finds
	told     map[int32][]bool
	lost     []int32 // who led, and was said to be gone
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	id := byte(0)
	c := &cluster{
		t: t, img: metadata.Empty(), speakers: map[int32]*Speaker{}, lags: map[int32]bool{}, cut: map[int32]bool{},
		beats: map[int32]int{}, probes: map[int32]error{}, told: map[int32][]bool{},
		c: controller.New(controller.Options{NewID: func() uuid.UUID { id++; return uuid.UUID{1, 15: id} }, NodeID: 99,
			Features: map[string][2]int16{"metadata.version": {33, 33}, metadata.ELRVersion: {0, 1}}}),
	}
	c.keeper = NewKeeper(KeeperOptions{NodeID: 1, Do: c.do, Probe: c.probe, Lost: c.leaderLost})
	c.must(controller.Bootstrap{Features: map[string]int16{"metadata.version": 33, metadata.ELRVersion: 1}})
	c.keeper.OnLeader(1, 5)
	return c
}

func (c *cluster) must(cmd any) any {
	c.t.Helper()
	reply, err := c.do(context.Background(), cmd)
	if err != nil {
		c.t.Fatalf("%T: %v", cmd, err)
	}
	return reply
}

// do commits a command and shows the image to the Keeper and to every node that
// follows.
func (c *cluster) do(_ context.Context, cmd any) (any, error) {
	c.mu.Lock()
	c.carried = append(c.carried, fmt.Sprintf("%T", cmd)[len("controller."):])
	if err := c.refuse; err != nil {
		c.mu.Unlock()
		return nil, err
	}
	records, reply, err := c.c.Step(time.Now(), cmd)
	if err != nil || len(records) == 0 {
		c.mu.Unlock()
		return reply, err
	}
	for _, r := range records {
		c.c.Apply(r)
	}
	img, delta, err := c.img.With(c.img.Offset+int64(len(records)), 1, records...)
	if err != nil {
		c.mu.Unlock()
		return nil, err
	}
	c.img = img
	var follow []*Speaker
	for id, s := range c.speakers {
		if !c.lags[id] {
			follow = append(follow, s)
		}
	}
	c.keeper.OnImage(img, delta)
	c.mu.Unlock()
	for _, s := range follow {
		s.Applied(img.Offset)
	}
	return reply, nil
}

func (c *cluster) image() *metadata.Image {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.img
}

// asked counts a node's heartbeats, commands lists what came, news is what a node
// was told of its being fenced.
func (c *cluster) asked(id int32) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.beats[id]
}

func (c *cluster) commands() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.carried)
}

func (c *cluster) news(id int32) []bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.told[id])
}

func (c *cluster) probe(_ context.Context, node int32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.probes[node]
}

func (c *cluster) leaderLost(_ context.Context, node int32) {
	c.set(func() { c.lost = append(c.lost, node) })
}

func (c *cluster) set(what func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	what()
}

// register gives a node's registration, a new incarnation each time.
func (c *cluster) register(id int32) controller.RegisterBroker {
	at := time.Now().UnixNano()
	return controller.RegisterBroker{Broker: metadata.Broker{
		ID: id, Incarnation: uuid.UUID{2, byte(at >> 24), byte(at >> 16), byte(at >> 8), byte(at), 15: byte(id)},
		Directories: []uuid.UUID{{3, 15: byte(id)}},
	}}
}

// start registers a node and lets it speak.
func (c *cluster) start(id int32) *Speaker {
	c.t.Helper()
	epoch := c.must(c.register(id)).(int64)
	s := NewSpeaker(SpeakerOptions{
		NodeID: id,
		Ask: func(ctx context.Context, beat *own.HeartbeatRequest) (*own.HeartbeatResponse, error) {
			c.mu.Lock()
			c.beats[id]++
			cut := c.cut[id]
			c.mu.Unlock()
			if cut {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return c.keeper.Heartbeat(beat), nil
		},
		Register: func(ctx context.Context) (int64, error) {
			reply, err := c.do(ctx, c.register(id))
			if err != nil {
				return 0, err
			}
			return reply.(int64), nil
		},
		OnFenced: func(fenced bool) { c.set(func() { c.told[id] = append(c.told[id], fenced) }) },
	})
	c.set(func() { c.speakers[id] = s })
	s.Applied(c.image().Offset)
	s.Start(epoch, true)
	return s
}

// serving starts nodes and waits until all serve.
func (c *cluster) serving(ids ...int32) {
	c.t.Helper()
	for _, id := range ids {
		c.start(id)
	}
	for _, id := range ids {
		if err := c.speakers[id].WaitUnfenced(c.t.Context()); err != nil {
			c.t.Fatal(err)
		}
	}
}

// kill ends a node's process.
func (c *cluster) kill(id int32) {
	s := c.speakers[id]
	c.set(func() { delete(c.speakers, id) })
	s.Close()
}

func (c *cluster) close() {
	for _, s := range c.speakers {
		s.Close()
	}
	c.keeper.Close()
}

// in runs a test of a cluster in a bubble whose time moves by itself.
func in(t *testing.T, test func(t *testing.T, c *cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		defer c.close()
		test(t, c)
	})
}

// topic makes one whose replicas are on the nodes named.
func (c *cluster) topic(name string, replicas ...int32) {
	c.t.Helper()
	made := c.must(controller.CreateTopics{Topics: []controller.NewTopic{{
		Name: name, Partitions: -1, Replicas: -1, Assignments: map[int32][]int32{0: replicas},
	}}}).([]controller.CreatedTopic)
	if made[0].Code != wire.None {
		c.t.Fatalf("%s: %v", name, made[0].Result)
	}
}

func (c *cluster) leader(topic string) int32 {
	return c.image().TopicByName(topic).Partitions[0].Leader
}

// applied is what all that serve have applied, as the Keeper knows; busy tells
// whether it has a goroutine.
func (c *cluster) applied() int64 {
	c.keeper.mu.Lock()
	defer c.keeper.mu.Unlock()
	offset, _ := c.keeper.tracker.Applied()
	return offset
}

func (c *cluster) busy() bool {
	c.keeper.mu.Lock()
	defer c.keeper.mu.Unlock()
	return c.keeper.stop != nil
}

// pass lets time of the test's bubble go by: it takes none of the machine's.
func pass(d time.Duration) { <-time.After(d) }
