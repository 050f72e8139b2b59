package schema

import (
	"encoding/hex"
	"reflect"
	"testing"

	"ottla/internal/uuid"
)

func TestShareValuesAreReadAsTheyAreWrittenAndNeverInPart(t *testing.T) {
	rack := "r1"
	parts := []TopicPartitions{{Topic: uuid.UUID{1}, Partitions: []int32{0, 2}}, {Topic: uuid.UUID{2}, Partitions: []int32{7}}}
	topics := []ShareTopic{{ID: uuid.UUID{1}, Name: "t", Partitions: []int32{0, 1}}}
	for _, tc := range []struct {
		want  any
		raw   []byte
		parse func([]byte) (any, error)
	}{
		{ShareMemberValue{&rack, "c", "/h", []string{"a", "b"}}, AppendShareMember(nil, ShareMemberValue{&rack, "c", "/h", []string{"a", "b"}}),
			func(b []byte) (any, error) { return ParseShareMember(b) }},
		{ShareMemberValue{}, AppendShareMember(nil, ShareMemberValue{}), func(b []byte) (any, error) { return ParseShareMember(b) }},
		{ShareGroupValue{3, -9}, AppendShareGroup(nil, ShareGroupValue{3, -9}), func(b []byte) (any, error) { return ParseShareGroup(b) }},
		{ShareCurrentValue{4, 3, 1, parts}, AppendShareCurrent(nil, ShareCurrentValue{4, 3, 1, parts}),
			func(b []byte) (any, error) { return ParseShareCurrent(b) }},
		{ShareStateValue{topics, topics, []ShareTopic{{ID: uuid.UUID{9}, Name: "gone"}}},
			AppendShareState(nil, ShareStateValue{topics, topics, []ShareTopic{{ID: uuid.UUID{9}, Name: "gone"}}}),
			func(b []byte) (any, error) { return ParseShareState(b) }},
	} {
		got, err := tc.parse(tc.raw)
		if err != nil || !reflect.DeepEqual(got, tc.want) {
			t.Errorf("got %+v, %v, want %+v", got, err, tc.want)
		}
		for n := range tc.raw {
			if got, err := tc.parse(tc.raw[:n:n]); err == nil {
				t.Errorf("%x of %x was taken: %+v", tc.raw[:n], tc.raw, got)
			}
		}
		if _, err := tc.parse(append([]byte{0, 1}, tc.raw[2:]...)); err == nil {
			t.Errorf("%T of version 1 was read", tc.want)
		}
	}
}

func TestShareValuesHaveKafkasBytes(t *testing.T) {
	for _, tc := range []struct {
		raw  []byte
		want string
	}{
		{AppendShareGroup(nil, ShareGroupValue{1, 2}), "0000" + "00000001" + "0000000000000002" + "00"},
		{AppendShareMember(nil, ShareMemberValue{nil, "c", "/h", []string{"t"}}), "0000" + "00" + "0263" + "032f68" + "02" + "0274" + "00"},
		{AppendShareCurrent(nil, ShareCurrentValue{2, 1, 0, []TopicPartitions{{Topic: uuid.UUID{}, Partitions: []int32{5}}}}),
			"0000" + "00000002" + "00000001" + "00" + "02" + "00000000000000000000000000000000" + "02" + "00000005" + "00" + "00"},
	} {
		if got := hex.EncodeToString(tc.raw); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}
