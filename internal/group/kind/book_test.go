package kind

import (
	"fmt"
	"slices"
	"testing"

	"ottla/internal/coordinator"
	"ottla/internal/group/schema"
)

// club is a group whose records are its members' names.
type club struct {
	id      string
	members map[string]bool
}

// Apply implements Entry.
func (c *club) Apply(k schema.Key, value []byte) {
	if delete(c.members, k.Member); value != nil && k.Member != "" {
		c.members[k.Member] = true
	}
}

// Records implements Entry.
func (c *club) Records() (out []coordinator.Record) {
	for _, m := range []string{"a", "b", "c"} {
		if c.members[m] {
			out = append(out, coordinator.Record{Key: []byte(c.id + m)})
		}
	}
	return out
}

// Size implements Entry.
func (c *club) Size() int { return len(c.members) }

const theEnd, aMember int16 = 1, 2

func TestABookHoldsGroupsFromTheirFirstRecordToTheirLast(t *testing.T) {
	total := 0
	b := NewBook(theEnd, func(id string) *club { return &club{id, map[string]bool{}} }, func(by int) {
		if total += by; by == 0 {
			t.Error("no change is told")
		}
	})
	apply := func(group string, kind int16, member, value string) {
		var v []byte
		if value != "" {
			v = []byte(value)
		}
		b.Apply(schema.Key{Type: kind, Group: group, Member: member}, v)
	}
	stands := func(when, want string, members int) {
		t.Helper()
		var keys []string
		for r := range b.Records() {
			keys = append(keys, string(r.Key))
		}
		if got := fmt.Sprint(b.IDs(), keys); got != want || total != members {
			t.Errorf("%s: %s with %d members, want %s with %d", when, got, total, want, members)
		}
	}
	apply("y", aMember, "a", "") // of nobody
	apply("y", theEnd, "", "")
	stands("nothing", "[] []", 0)
	apply("y", aMember, "b", "said")
	apply("y", aMember, "a", "said")
	apply("x", theEnd, "", "epoch")
	apply("x", aMember, "c", "said")
	apply("x", aMember, "c", "said again")
	stands("two groups", "[x y] [xc ya yb]", 3)
	apply("y", aMember, "a", "")
	stands("a member left", "[x y] [xc yb]", 2)
	for range b.Records() {
		break // who has seen enough may stop
	}
	apply("x", theEnd, "", "")
	if b.Has("x") || !b.Has("y") {
		t.Errorf("after the end of x there are %v", b.IDs())
	}
	stands("the end", "[y] [yb]", 1)
	b.Reset()
	stands("forgotten", "[] []", 0)
	apply("y", aMember, "c", "said")
	if !slices.Equal(b.IDs(), []string{"y"}) || total != 1 {
		t.Errorf("after it: %v with %d members", b.IDs(), total)
	}
}
