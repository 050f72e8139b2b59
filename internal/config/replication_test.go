package config

import "testing"

// TestWhatNobodyHasSetFollowsFromTheNumberOfNodes: what somebody has, at the start or
// at run time, does not.
func TestWhatNobodyHasSetFollowsFromTheNumberOfNodes(t *testing.T) {
	for _, c := range []struct {
		what    string
		static  map[string]string
		dynamic map[string]string // of the cluster
		own     map[string]string // of the broker
		factor  int16
		set     bool
	}{
		{what: "nothing"},
		{what: "the 1 that KIP-966 writes down", dynamic: map[string]string{minInsync: "1"}},
		{what: "both at the start", static: map[string]string{defaultFactor: "2", minInsync: "1"}, dynamic: map[string]string{minInsync: "1"}, factor: 2, set: true},
		{what: "Kafka's own default, said", static: map[string]string{defaultFactor: "1"}, factor: 1},
		{what: "at run time", dynamic: map[string]string{minInsync: "2"}, set: true},
		{what: "for one broker", own: map[string]string{minInsync: "1"}, set: true},
	} {
		s, err := StaticOf("test", c.static)
		if err != nil {
			t.Fatal(err)
		}
		v := &View{Static: s, NodeID: 3}
		d := overridden{"": c.dynamic, "3": c.own}
		if factor, set := v.Factor(d), v.MinInsyncSet(d); factor != c.factor || set != c.set {
			t.Errorf("%s: factor %d, set %v; want %d, %v", c.what, factor, set, c.factor, c.set)
		}
	}
}

// overridden are settings of brokers.
type overridden map[string]map[string]string

func (o overridden) ConfigOf(s Scope, name string) map[string]string {
	if s != ScopeBroker {
		return nil
	}
	return o[name]
}
