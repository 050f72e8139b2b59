package kind

import (
	"fmt"
	"testing"
	"time"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
)

func TestATurnGathersWhatAStepDecides(t *testing.T) {
	now := time.UnixMilli(5000)
	turn := &Turn{Now: now, Wall: now.Add(time.Hour), Token: 7, Out: &coordinator.Output{}}
	turn.Answer("mine")
	turn.Reply(9, "another's")
	turn.Reply(0, "nobody's")
	turn.Write(schema.Key{Type: schema.ShareMember, Group: "g", Member: "m"}, []byte("v"))
	turn.Timer("key", time.Second, "body")
	turn.Cancel("other")
	turn.Work(func() any { return "done" })
	var order []int
	for i := range 3 {
		turn.Then(func() { order = append(order, i) })
	}
	o := turn.Out
	if len(o.Replies) != 2 || o.Replies[0].Token != 7 || o.Replies[1].Body != "another's" {
		t.Errorf("replies: %+v", o.Replies)
	}
	if k, err := schema.ParseKey(o.Records[0].Key); err != nil || k.Member != "m" || string(o.Records[0].Value) != "v" {
		t.Errorf("records: %+v, %v", o.Records, err)
	}
	if len(o.Timers) != 2 || o.Timers[0].At != now.Add(time.Second) || !o.Timers[1].At.IsZero() {
		t.Errorf("timers: %+v, want them by the clock of time-outs", o.Timers)
	}
	if len(o.Work) != 1 || o.Work[0].Run() != "done" {
		t.Errorf("work: %+v", o.Work)
	}
	if len(order) != 0 {
		t.Error("soft state changed before the records were accepted")
	}
	if o.Accepted(); fmt.Sprint(order) != "[0 1 2]" {
		t.Errorf("soft changes were made in the order %v", order)
	}
}
