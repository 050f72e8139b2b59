package config

import (
	"slices"
	"strings"
	"testing"
)

var scopes = []Scope{ScopeBroker, ScopeTopic, ScopeGroup, ScopeClientMetrics, ScopeQuota}

func TestEverySettingIsDeclaredWhole(t *testing.T) {
	types := []string{"boolean", "short", "int", "long", "double", "string", "list", "class", "password"}
	for _, s := range scopes {
		if len(All(s)) == 0 {
			t.Errorf("%s has no settings", s)
		}
		for _, d := range All(s) {
			if d.Scope != s || Lookup(s, d.Name) != d {
				t.Errorf("%s: looked up as another", d.Name)
			}
			if !slices.Contains(types, d.Type) {
				t.Errorf("%s: type %q", d.Name, d.Type)
			}
			if (d.Mode != "") != (s == ScopeBroker) {
				t.Errorf("%s: mode %q in scope %s", d.Name, d.Mode, s)
			}
			if !strings.HasSuffix(d.Doc, ".") || len(d.Doc) < 15 || d.Doc[0] < 'A' || d.Doc[0] > 'Z' {
				t.Errorf("%s: help %q is no sentence", d.Name, d.Doc)
			}
			if d.NullDefault && d.Default != "" {
				t.Errorf("%s: null and %q", d.Name, d.Default)
			}
			if got, err := d.Check(d.Default); !d.NullDefault && (err != nil || got != d.Default) {
				t.Errorf("%s: default %q gives %q, %v", d.Name, d.Default, got, err)
			}
			for _, name := range d.Synonyms {
				if Lookup(ScopeBroker, name) == nil {
					t.Errorf("%s: synonym %s is unknown", d.Name, name)
				}
			}
			if d.Sensitive != (d.Type == "password") {
				t.Errorf("%s: type %s, sensitive %v", d.Name, d.Type, d.Sensitive)
			}
		}
	}
}

func TestTheRegistryHasAllOfKafkasSettings(t *testing.T) {
	kafka := 0
	for _, s := range scopes {
		for _, d := range All(s) {
			if !d.Own {
				kafka++
			}
		}
	}
	if kafka != 426 {
		t.Errorf("got %d, Kafka 4.4 has 426", kafka)
	}
}

func TestEveryTopicDefaultAgreesWithItsBrokerSetting(t *testing.T) {
	v := &View{}
	for _, d := range All(ScopeTopic) {
		if got := v.Topic(nil, "t", d.Name); got.Value != d.Default || got.Null {
			t.Errorf("%s: the broker's default makes it %q, its own is %q", d.Name, got.Value, d.Default)
		}
	}
	for _, d := range All(ScopeGroup) {
		if got := v.Group(nil, "g", d.Name); !d.NullDefault && got.Value != d.Default {
			t.Errorf("%s: the broker's default makes it %q, its own is %q", d.Name, got.Value, d.Default)
		}
	}
}

func TestEveryActingTopicSettingHasAField(t *testing.T) {
	for _, d := range All(ScopeTopic) {
		if d.Acts && topicFields[d.Name] == nil {
			t.Errorf("%s acts, but no field of Topic holds it", d.Name)
		}
	}
	for name := range topicFields {
		if Lookup(ScopeTopic, name) == nil {
			t.Errorf("topicFields has %s, which is no setting", name)
		}
	}
}

func TestBadTableRowsAreErrors(t *testing.T) {
	for _, row := range []string{
		"broker\tx", "broker\tx\tint\t1\t(odd)\tread-only\t-\t-\t-",
		"broker\tx\tint\t1\t-\tread-only\t-\tshiny\t-", "broker\tx\tint\t1\t[a,...]\t-\t-\t-\t-",
		"broker\tx\tint\t1\t[1,...,b]\t-\t-\t-\t-", "broker\tx\tint\t1\tkeys [a\t-\t-\t-\t-",
		"broker\tx\tint\t1\t-\t-\t-\t-\t-\nbroker\tx\tint\t1\t-\t-\t-\t-\t-",
	} {
		if _, err := parseTable(row); err == nil {
			t.Errorf("%q: no error", row)
		}
	}
}

func TestLookingUpWhatDoesNotExist(t *testing.T) {
	if Lookup(ScopeTopic, "log.dirs") != nil || Lookup("nobody", "x") != nil || All("nobody") != nil {
		t.Error("found something")
	}
	defer func() {
		if recover() == nil {
			t.Error("a name of ours that does not exist must panic")
		}
	}()
	(&View{}).Int(nil, "no.such.setting")
}
