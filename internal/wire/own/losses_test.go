package own

import (
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func lossesOf() []*Losses {
	return []*Losses{
		{},
		{Told: Told{ErrorCode: 41, ErrorMessage: "not here"}},
		{Told: Told{Node: 3, SinceMs: 1 << 41}, Losses: []Loss{
			{"a", 7, Change{AtMs: 1 << 40, Why: "nodes [2], which may have them, are away", From: 1, To: 1, LeaderEpoch: 7, WasISR: []int32{1}, ISR: []int32{1}, ELR: []int32{2}, Unclean: true}},
			{Change: Change{From: -1, To: -1}},
		}},
	}
}

func TestLossesTravelInTags(t *testing.T) {
	for _, l := range lossesOf() {
		var tags kmsg.Tags
		if got, err := ReadLosses(&tags); got != nil || err != nil {
			t.Fatalf("none: %v, %v", got, err)
		}
		SetLosses(&tags, l)
		if got, err := ReadLosses(&tags); err != nil || !reflect.DeepEqual(got, l) {
			t.Errorf("%+v comes back as %+v, %v", l, got, err)
		}
	}
	var tags kmsg.Tags
	if AsksLosses(&tags) {
		t.Error("nobody asked")
	}
	if AskLosses(&tags); !AsksLosses(&tags) {
		t.Error("it was asked")
	}
}

func FuzzLosses(f *testing.F) {
	for _, l := range lossesOf() {
		var tags kmsg.Tags
		SetLosses(&tags, l)
		f.Add(tag(&tags, TagLosses))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var tags, again kmsg.Tags
		tags.Set(TagLosses, b)
		l, err := ReadLosses(&tags)
		if err != nil || l == nil {
			return
		}
		SetLosses(&again, l)
		if got, err := ReadLosses(&again); err != nil || !reflect.DeepEqual(got, l) {
			t.Errorf("%+v comes back as %+v, %v", l, got, err)
		}
	})
}
