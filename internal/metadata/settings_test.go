package metadata

import (
	"reflect"
	"testing"

	"ottla/internal/config"
)

func TestSettingsOfEveryScopeAreFoundByIt(t *testing.T) {
	set := func(resourceType int8, resource, value string) Record {
		return &ConfigRecord{ResourceType: resourceType, ResourceName: resource, Name: "x", Value: &value}
	}
	img := apply(t, Empty(), set(ResourceTopic, "a", "topic"), set(ResourceBroker, "", "all brokers"), set(ResourceBroker, "1", "one broker"),
		set(ResourceGroup, "a", "group"), set(ResourceClientMetrics, "a", "client metrics"))
	for _, c := range []struct {
		scope config.Scope
		name  string
		want  map[string]string
	}{
		{config.ScopeTopic, "a", map[string]string{"x": "topic"}},
		{config.ScopeTopic, "b", nil},
		{config.ScopeBroker, "", map[string]string{"x": "all brokers"}},
		{config.ScopeBroker, "1", map[string]string{"x": "one broker"}},
		{config.ScopeGroup, "a", map[string]string{"x": "group"}},
		{config.ScopeClientMetrics, "a", map[string]string{"x": "client metrics"}},
		{config.ScopeQuota, "a", nil},
	} {
		if got := img.ConfigOf(c.scope, c.name); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s %q: got %v, want %v", c.scope, c.name, got, c.want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { img.ConfigOf(config.ScopeTopic, "a") }); n != 0 {
		t.Errorf("a look-up takes %v allocations", n)
	}
}

func TestInternalTopicsAreThoseOfTheCoordinators(t *testing.T) {
	for name, want := range map[string]bool{
		"__consumer_offsets": true, "__transaction_state": true, "__share_group_state": true,
		"orders": false, "__cluster_metadata": false, "__Consumer_offsets": false, "": false,
	} {
		if got := IsInternal(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}
