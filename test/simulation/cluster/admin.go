package cluster

import (
	"fmt"
	"strconv"
	"time"

	"ottla/internal/controller"
	"ottla/internal/metadata"
	"ottla/internal/wire"
	"ottla/test/simulation/event"
)

// admin changes topics: it makes and deletes some under a few names, gives them
// partitions and settings. What it was told is done must be there at the end.
type admin struct {
	base
	topics map[string]*made // by name
	rests  bool
	doing  string
}

// made is what is known of a topic: gone and there are certain, unsure when an
// answer was lost.
type made struct {
	there, unsure bool
	parts         int32
	least         string // min.insync.replicas, "" not set
	// open is until when a command that was not answered may be carried out yet.
	open time.Duration
}

// afterwards is how long that may be: it waits for a controller, and messages for a
// network.
const afterwards = 15 * time.Second

func (w *World) newAdmin() *admin { return &admin{base: w.newBase(), topics: map[string]*made{}} }

func (c *admin) start() { c.after(event.Between(c.w.work, 0, 2*time.Second), c.step) }

func (c *admin) idle() string {
	if c.rests {
		return ""
	}
	return fmt.Sprintf("client %d: %s", c.id, c.doing)
}

// step does one thing, and goes on.
func (c *admin) step() {
	if c.ending {
		c.rests = true
		c.judge()
		return
	}
	name := fmt.Sprint("topic-", c.w.work.IntN(3))
	t := c.topics[name]
	if t == nil {
		t = &made{}
		c.topics[name] = t
	}
	switch {
	case !t.there || t.unsure && c.w.work.IntN(2) == 0:
		parts := 1 + c.w.work.Int32N(2)
		c.do("create "+name, t, controller.CreateTopics{Topics: []controller.NewTopic{{Name: name, Partitions: parts, Replicas: copies}}}, func(code wire.Code, sure bool) {
			switch {
			case sure && code == wire.None:
				*t = made{there: true, parts: parts}
				c.w.hit("topic created")
			case sure && code == wire.TopicAlreadyExists && !t.there && !t.unsure:
				c.w.fail("topic %s was deleted, and is there", name)
			case !sure:
				t.unsure = true
			}
		})
	case c.w.work.IntN(3) == 0:
		c.do("delete "+name, t, controller.DeleteTopics{Topics: []controller.TopicRef{{Name: name}}}, func(code wire.Code, sure bool) {
			switch {
			case sure && code == wire.None:
				*t = made{}
				c.w.hit("topic deleted")
			case sure && code == wire.UnknownTopicOrPartition && !t.unsure:
				c.w.fail("topic %s was made, and is not there", name)
			case sure && code == wire.UnknownTopicOrPartition:
				*t = made{}
			case !sure:
				t.unsure = true
			}
		})
	case c.w.work.IntN(2) == 0:
		more := t.parts + 1
		c.do("more partitions of "+name, t, controller.CreatePartitions{Topics: []controller.MorePartitions{{Name: name, Count: more}}}, func(code wire.Code, sure bool) {
			t.unsure = t.unsure || !sure
			if sure && code == wire.None {
				t.parts = more
				c.w.hit("partitions added")
			}
		})
	default:
		least := strconv.Itoa(1 + c.w.work.IntN(2))
		c.do("settings of "+name, t, controller.AlterConfigs{Incremental: true, Resources: []controller.AlterResource{{
			Type: metadata.ResourceTopic, Name: name, Entries: []controller.AlterEntry{{Name: "min.insync.replicas", Value: &least}},
		}}}, func(code wire.Code, sure bool) {
			t.unsure = t.unsure || !sure
			if sure && code == wire.None {
				t.least = least
				c.w.hit("settings changed")
			}
		})
	}
}

// do gives one command about a topic through some node; sure says that its outcome is
// known.
func (c *admin) do(what string, t *made, cmd any, then func(code wire.Code, sure bool)) {
	c.doing = what
	to := c.w.someone()
	c.ask(request{
		to: to, timeout: 6 * time.Second, pipe: new(pipe), // a connection doubles nothing
		serve: func(p *process, answer func(any)) {
			p.control.do(cmd, 5*time.Second, func(reply any, err error) { answer(said{reply, err}) })
		},
		done: func(answer any, refused bool) {
			x, ok := answer.(said)
			code := wire.CodeOf(x.err)
			if ok && x.err == nil {
				code = firstCode(x.body)
			}
			sure := ok && (x.err == nil || !uncertain(x.err)) || refused
			if refused {
				code = wire.NetworkException
			}
			c.w.note("client %d: %s: %s, sure %v", c.id, what, code.Name(), sure)
			open := t.open
			then(code, sure)
			if t.open = open; !sure {
				t.open = c.w.loop.Now() + afterwards
			}
			t.unsure = t.unsure || c.w.loop.Now() < t.open
			c.after(event.Between(c.w.work, 100*time.Millisecond, 2*time.Second), c.step)
		},
	})
}

// uncertain tells that a command may have been carried out.
func uncertain(err error) bool {
	switch wire.CodeOf(err) {
	case wire.RequestTimedOut, wire.KafkaStorageError, wire.NetworkException:
		return true
	}
	return false
}

// firstCode is the outcome of the one item of a command.
func firstCode(reply any) wire.Code {
	switch rows := reply.(type) {
	case []controller.CreatedTopic:
		return rows[0].Code
	case []controller.DeletedTopic:
		return rows[0].Code
	case []controller.Result:
		return rows[0].Code
	}
	return wire.UnknownServerError
}

// judge holds what is there against what was told.
func (c *admin) judge() {
	img := c.w.controller().quorum.Image()
	for i := range 3 {
		name := fmt.Sprint("topic-", i)
		t, is := c.topics[name], img.TopicByName(name)
		switch {
		case t == nil || t.unsure:
		case t.there != (is != nil):
			c.w.fail("topic %s: told that it is there %v, found %v", name, t.there, is != nil)
		case t.there && len(is.Partitions) != int(t.parts):
			c.w.fail("topic %s: told of %d partitions, found %d", name, t.parts, len(is.Partitions))
		case t.there && t.least != "" && img.Config(metadata.ResourceTopic, name)["min.insync.replicas"] != t.least:
			c.w.fail("topic %s: min.insync.replicas is not %s", name, t.least)
		}
	}
}
