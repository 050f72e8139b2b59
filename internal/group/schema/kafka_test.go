package schema

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"

	"ottla/internal/uuid"
)

// Records as a Kafka 4.4.0 broker wrote them: an offset from outside any
// group, its end, the end of the group, and a group's metadata when it was new
// and when it was stable with a static member.
var written = map[string][2]string{
	"offset":      {"0001000673696d706c6500066f726465727300000000", "0004000000000000000700000003056e6f7465000001a213c5c1c70100100fa304a58cd340719efc1caaf753131c"},
	"group's end": {"0002000673696d706c65", ""},
	"new group":   {"000200047465616d", "0003000000000000ffffffff000001a213c5c1f100000000"},
	"group":       {"000200047465616d", "00030008636f6e73756d657200000001000572616e6765002769312d35613737663136302d393730652d346334362d616266362d663335343432303332303166000001a213c5cdad00000001002769312d35613737663136302d393730652d346334362d616266362d663335343432303332303166000269310002636c000a2f3132372e302e302e310000ea600000afc80000001c00030000000100066f7264657273ffffffff00000000ffffffffffff0000001e00000000000100066f7264657273000000020000000000000001ffffffff"},
}

func fromHex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKafkasRecordsAreReadAndWrittenByteForByte(t *testing.T) {
	member := "i1-5a77f160-970e-4c46-abf6-f3544203201f"
	offset := OffsetValue{Offset: 7, LeaderEpoch: 3, Metadata: "note", CommitMs: 1795627860423, ExpireMs: -1}
	offset.TopicID = uuid.UUID(fromHex(t, "0fa304a58cd340719efc1caaf753131c"))
	group := GroupValue{
		ProtocolType: "consumer", Generation: 1, Protocol: ptr("range"), Leader: &member, StateMs: 1795627863469,
		Members: []Member{{
			ID: member, InstanceID: ptr("i1"), ClientID: "cl", ClientHost: "/127.0.0.1", RebalanceMs: 60000, SessionMs: 45000,
			Subscription: fromHex(t, "00030000000100066f7264657273ffffffff00000000ffffffffffff"),
			Assignment:   fromHex(t, "00000000000100066f7264657273000000020000000000000001ffffffff"),
		}},
	}
	for name, rec := range written {
		key, value := fromHex(t, rec[0]), fromHex(t, rec[1])
		k, err := ParseKey(key)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		switch name {
		case "offset":
			v, err := ParseOffsetValue(value)
			offset.CommitMs = v.CommitMs // told by the broker's clock
			if err != nil || v != offset || k != (Key{Type: OffsetCommit, Group: "simple", Topic: "orders"}) {
				t.Errorf("%s: %+v %+v, %v", name, k, v, err)
			}
			if !bytes.Equal(AppendOffsetValue(nil, v), value) || !bytes.Equal(AppendOffsetKey(nil, "simple", "orders", 0), key) {
				t.Errorf("%s is written otherwise", name)
			}
		case "group's end":
			if k != (Key{Type: GroupMetadata, Group: "simple"}) {
				t.Errorf("%s: %+v", name, k)
			}
		default:
			v, err := ParseGroupValue(value)
			if err != nil || k != (Key{Type: GroupMetadata, Group: "team"}) || !bytes.Equal(AppendGroupValue(nil, v), value) || !bytes.Equal(AppendGroupKey(nil, "team"), key) {
				t.Errorf("%s: %+v %+v, %v", name, k, v, err)
			}
			if group.StateMs = v.StateMs; name == "group" && !reflect.DeepEqual(v, group) {
				t.Errorf("%s: got %+v, want %+v", name, v, group)
			}
		}
	}
}
