package schema

import (
	"encoding/hex"
	"reflect"
	"testing"
)

// streamsCases are values of every type of streams groups, full and empty.
func streamsCases() []struct {
	want  any
	raw   []byte
	parse func([]byte) (any, error)
} {
	rack, instance := "r1", "i1"
	pairs := []StreamsPair{{"k", "v"}, {"l", ""}}
	group := StreamsGroupValue{3, -9, 2, pairs}
	member := StreamsMemberValue{&instance, &rack, "c", "/h", 60000, 4, "p", &StreamsEndpoint{"host", 65535}, pairs}
	roles := StreamsAssignment{
		Active:  []StreamsTasks{{Subtopology: "0", Partitions: []int32{0, 2}}, {Subtopology: "1", Partitions: []int32{7}}},
		Standby: []StreamsTasks{{Subtopology: "2", Partitions: []int32{1}}}, Warmup: []StreamsTasks{{Subtopology: "3", Partitions: []int32{5}}},
	}
	timed := StreamsAssignment{Active: []StreamsTasks{{Subtopology: "0", Partitions: []int32{0, 2}, Epochs: []int32{4, 5}}}}
	current := StreamsCurrentValue{4, 3, 2, timed, roles}
	topic := []StreamsTopic{{"t", 3, 2, pairs}, {Name: "u"}}
	topology := StreamsTopologyValue{6, []Subtopology{
		{"0", []string{"a", "b"}, []string{"x.*"}, topic, []string{"s"}, topic, []Copartition{{[]int16{0, 1}, []int16{0}, []int16{1}}, {}}}, {ID: "1"},
	}}
	parseGroup := func(b []byte) (any, error) { return ParseStreamsGroup(b) }
	parseMember := func(b []byte) (any, error) { return ParseStreamsMember(b) }
	parseTarget := func(b []byte) (any, error) { return ParseStreamsTarget(b) }
	parseCurrent := func(b []byte) (any, error) { return ParseStreamsCurrent(b) }
	parseTopology := func(b []byte) (any, error) { return ParseStreamsTopology(b) }
	return []struct {
		want  any
		raw   []byte
		parse func([]byte) (any, error)
	}{
		{group, AppendStreamsGroup(nil, group), parseGroup},
		{StreamsGroupValue{Validated: -1}, AppendStreamsGroup(nil, StreamsGroupValue{Validated: -1}), parseGroup},
		{member, AppendStreamsMember(nil, member), parseMember},
		{StreamsMemberValue{}, AppendStreamsMember(nil, StreamsMemberValue{}), parseMember},
		{roles, AppendStreamsTarget(nil, roles), parseTarget},
		{StreamsAssignment{}, AppendStreamsTarget(nil, StreamsAssignment{}), parseTarget},
		{current, AppendStreamsCurrent(nil, current), parseCurrent},
		{StreamsCurrentValue{State: 1}, AppendStreamsCurrent(nil, StreamsCurrentValue{State: 1}), parseCurrent},
		{topology, AppendStreamsTopology(nil, topology), parseTopology},
		{StreamsTopologyValue{}, AppendStreamsTopology(nil, StreamsTopologyValue{}), parseTopology},
	}
}

func TestStreamsValuesAreReadAsTheyAreWrittenAndNeverInPart(t *testing.T) {
	for _, tc := range streamsCases() {
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

func TestStreamsValuesHaveKafkasBytes(t *testing.T) {
	for _, tc := range []struct {
		raw  []byte
		want string
	}{
		{AppendStreamsGroup(nil, StreamsGroupValue{1, 2, -1, nil}), "0000" + "00000001" + "0000000000000002" + "00"},
		{AppendStreamsGroup(nil, StreamsGroupValue{1, 2, 3, []StreamsPair{{"k", "v"}}}), "0000" + "00000001" + "0000000000000002" + "02" + "0004" + "00000003" + "0106" + "02026b027600"},
		{AppendStreamsMember(nil, StreamsMemberValue{nil, nil, "c", "/h", 5, 0, "p", nil, nil}), "0000" + "00" + "00" + "0263" + "032f68" + "00000005" + "00000000" + "0270" + "ff" + "01" + "00"},
		{AppendStreamsTarget(nil, StreamsAssignment{Active: []StreamsTasks{{Subtopology: "0", Partitions: []int32{5}}}}), "0000" + "02" + "0230" + "02" + "00000005" + "00" + "01" + "01" + "00"},
	} {
		if got := hex.EncodeToString(tc.raw); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

// FuzzStreamsRecords holds that no bytes panic, and that what is read is
// written back and read again the same.
func FuzzStreamsRecords(f *testing.F) {
	for _, tc := range streamsCases() {
		f.Add(tc.raw)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, err := ParseStreamsTopology(b); err == nil {
			if again, err := ParseStreamsTopology(AppendStreamsTopology(nil, v)); err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("topology %+v became %+v, %v", v, again, err)
			}
		}
		if v, err := ParseStreamsCurrent(b); err == nil {
			if again, err := ParseStreamsCurrent(AppendStreamsCurrent(nil, v)); err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("assignment %+v became %+v, %v", v, again, err)
			}
		}
		if v, err := ParseStreamsMember(b); err == nil {
			if again, err := ParseStreamsMember(AppendStreamsMember(nil, v)); err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("member %+v became %+v, %v", v, again, err)
			}
		}
		if v, err := ParseStreamsGroup(b); err == nil {
			if again, err := ParseStreamsGroup(AppendStreamsGroup(nil, v)); err != nil || again.Epoch != v.Epoch || again.Validated != v.Validated {
				t.Errorf("group %+v became %+v, %v", v, again, err)
			}
		}
	})
}
