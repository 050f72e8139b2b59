package constraint_test

import (
	"strings"
	"testing"

	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

func TestAllThatIsBrokenIsToldInOneAnswer(t *testing.T) {
	var b constraint.Broken
	if err := b.Err(); err != nil {
		t.Fatalf("nothing is broken: %v", err)
	}
	b.Length("name", "äöü", 1, 3)
	b.Length("name", "äöüß", 1, 3)
	b.Number("limit", 0, 1, 100)
	b.Count("entries", 11, 1, 10)
	b.OneOf("state", "", "ENABLED")
	b.OneOf("state", "ON", "ENABLED", "DISABLED")
	b.Fits("name", "a b", constraint.MustPattern(`[a-z]+`))
	b.Fits("name", "ab", constraint.MustPattern(`[a-z]+`))
	b.Null("rule")
	want := "6 validation errors detected: " +
		"Value 'äöüß' at 'name' failed to satisfy constraint: Member must have length less than or equal to 3; " +
		"Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1; " +
		"Value '11 items' at 'entries' failed to satisfy constraint: Member must have length less than or equal to 10; " +
		"Value 'ON' at 'state' failed to satisfy constraint: Member must satisfy enum value set: [ENABLED, DISABLED]; " +
		"Value 'a b' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+; " +
		"Value null at 'rule' failed to satisfy constraint: Member must not be null"
	if e := protocol.AsError(b.Err()); e.Message != want || e.Shape != "ValidationException" {
		t.Errorf("got  %s: %s\nwant %s", e.Shape, e.Message, want)
	}
}

func TestTagsAreBoundedInNumberAndLength(t *testing.T) {
	var b constraint.Broken
	b.Tags("tags", []constraint.Tag{{Key: "", Value: ""}, {Key: "k", Value: strings.Repeat("v", 257)}}, 0)
	b.TagKeys("tagKeys", []string{"", "k"})
	if len(b) != 3 || !strings.Contains(b[0], "'tags.1.member.key'") || !strings.Contains(b[1], "'tags.2.member.value'") || !strings.Contains(b[2], "'tagKeys.1.member'") {
		t.Errorf("got %q", b)
	}
	b = nil
	b.Tags("tags", make([]constraint.Tag, 201), 0)
	b.TagKeys("tagKeys", make([]string, 201))
	if len(b) != 2 {
		t.Errorf("201 tags: got %q", b)
	}
}

func TestTagsAreListedByKey(t *testing.T) {
	pairs := []constraint.Tag{{Key: "b", Value: "2"}, {Key: "a", Value: "1"}, {Key: "b", Value: "3"}}
	list := constraint.TagList(constraint.TagMap(pairs))
	if len(list) != 2 || list[0] != (constraint.Tag{Key: "a", Value: "1"}) || list[1] != (constraint.Tag{Key: "b", Value: "3"}) {
		t.Errorf("got %v", list)
	}
}
