package schema

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"reflect"
	"runtime"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// kmsg's codec of the same records is the twin that ours is compared with.

func ptr(s string) *string { return &s }

// randomText has any bytes, and is null at times where that is allowed.
func randomText(r *rand.Rand) string {
	return string(randomBytes(r))
}

func randomBytes(r *rand.Rand) []byte {
	b := make([]byte, r.IntN(200))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func maybe(r *rand.Rand) *string {
	if r.IntN(2) == 0 {
		return nil
	}
	return ptr(randomText(r))
}

func TestKeysAgreeWithAnotherCodec(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		k := kmsg.NewOffsetCommitKey()
		k.Version, k.Group, k.Topic, k.Partition = 1, randomText(r), randomText(r), int32(r.Uint32())
		if got := AppendOffsetKey(nil, k.Group, k.Topic, k.Partition); !bytes.Equal(got, k.AppendTo(nil)) {
			t.Fatalf("offset key %+v: got %x", k, got)
		}
		for version := range int16(2) { // 0 is the legacy type
			k.Version = version
			got, err := ParseKey(k.AppendTo(nil))
			if want := (Key{Type: version, Group: k.Group, Topic: k.Topic, Partition: k.Partition}); err != nil || got != want || !got.IsOffset() {
				t.Fatalf("got %+v, %v, want %+v", got, err, want)
			}
		}
		g := kmsg.NewGroupMetadataKey()
		g.Version, g.Group = 2, randomText(r)
		if got := AppendGroupKey(nil, g.Group); !bytes.Equal(got, g.AppendTo(nil)) {
			t.Fatalf("group key %+v: got %x", g, got)
		}
		got, err := ParseKey(g.AppendTo(nil))
		if want := (Key{Type: GroupMetadata, Group: g.Group}); err != nil || got != want || got.IsOffset() {
			t.Fatalf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestOffsetValuesOfEveryVersionAgreeWithAnotherCodec(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for i := range 500 {
		v := kmsg.NewOffsetCommitValue()
		v.Version, v.Offset, v.LeaderEpoch = int16(i%5), int64(r.Uint64()), int32(r.Uint32())
		v.Metadata, v.CommitTimestamp, v.ExpireTimestamp = randomText(r), int64(r.Uint64()), r.Int64()
		if i%2 == 0 {
			v.TopicID = uuid.UUID(randomID(r))
		}
		want := OffsetValue{Offset: v.Offset, LeaderEpoch: -1, Metadata: v.Metadata, CommitMs: v.CommitTimestamp, ExpireMs: -1}
		if v.Version >= 3 {
			want.LeaderEpoch = v.LeaderEpoch
		}
		if v.Version == 1 {
			want.ExpireMs = v.ExpireTimestamp
		}
		if v.Version >= 4 {
			want.TopicID = v.TopicID
		}
		raw := v.AppendTo(nil)
		got, err := ParseOffsetValue(raw)
		if err != nil || got != want {
			t.Fatalf("version %d: got %+v, %v, want %+v", v.Version, got, err, want)
		}
		if v.Version == 4 || v.Version == 1 {
			if again := AppendOffsetValue(nil, got); !bytes.Equal(again, raw) {
				t.Fatalf("version %d: wrote %x, want %x", v.Version, again, raw)
			}
		}
	}
}

func randomID(r *rand.Rand) (id [16]byte) {
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	return id
}

func TestGroupValuesOfEveryVersionAgreeWithAnotherCodec(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 500 {
		v := kmsg.NewGroupMetadataValue()
		v.Version, v.ProtocolType, v.Generation = int16(i%5), randomText(r), int32(r.Uint32())
		v.Protocol, v.Leader, v.CurrentStateTimestamp = maybe(r), maybe(r), r.Int64()
		want := GroupValue{ProtocolType: v.ProtocolType, Generation: v.Generation, Protocol: v.Protocol, Leader: v.Leader, StateMs: -1}
		if v.Version >= 2 {
			want.StateMs = v.CurrentStateTimestamp
		}
		for range r.IntN(4) {
			m := kmsg.NewGroupMetadataValueMember()
			m.MemberID, m.InstanceID, m.ClientID, m.ClientHost = randomText(r), maybe(r), randomText(r), randomText(r)
			m.RebalanceTimeoutMillis, m.SessionTimeoutMillis = r.Int32(), r.Int32()
			m.Subscription, m.Assignment = randomBytes(r), randomBytes(r)
			v.Members = append(v.Members, m)
			row := Member{
				ID: m.MemberID, ClientID: m.ClientID, ClientHost: m.ClientHost,
				RebalanceMs: m.RebalanceTimeoutMillis, SessionMs: m.SessionTimeoutMillis,
				Subscription: append([]byte(nil), m.Subscription...), Assignment: append([]byte(nil), m.Assignment...),
			}
			if v.Version >= 3 {
				row.InstanceID = m.InstanceID
			}
			if v.Version == 0 {
				row.RebalanceMs = m.SessionTimeoutMillis
			}
			want.Members = append(want.Members, row)
		}
		raw := v.AppendTo(nil)
		got, err := ParseGroupValue(raw)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("version %d: got %+v, %v, want %+v", v.Version, got, err, want)
		}
		if v.Version == 3 {
			if again := AppendGroupValue(nil, got); !bytes.Equal(again, raw) {
				t.Fatalf("wrote %x, want %x", again, raw)
			}
		}
	}
}

func TestSubscriptionsGiveTheirTopics(t *testing.T) {
	for version := range int16(4) {
		s := kmsg.NewConsumerMemberMetadata()
		s.Version, s.Topics, s.UserData, s.Generation = version, []string{"b", "a"}, []byte("x"), 3
		got, err := ParseSubscription(s.AppendTo(nil))
		if err != nil || !reflect.DeepEqual(got, s.Topics) {
			t.Errorf("version %d: %q, %v", version, got, err)
		}
	}
	for _, bad := range [][]byte{nil, {0}, {0xff, 0xff, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 1}, {0, 0, 0x7f, 0xff, 0xff, 0xff, 0}, {0, 0, 0xff, 0xff, 0xff, 0xff}} {
		if got, err := ParseSubscription(bad); err == nil {
			t.Errorf("%x gave %q", bad, got)
		}
	}
}

func TestEveryTruncatedRecordIsRefused(t *testing.T) {
	id := uuid.UUID{1}
	v := OffsetValue{Offset: 1, LeaderEpoch: 2, Metadata: "m", CommitMs: 3, ExpireMs: -1, TopicID: id}
	old := v
	old.ExpireMs = 9
	old.TopicID = uuid.UUID{}
	group := GroupValue{ProtocolType: "consumer", Protocol: ptr("range"), Leader: ptr("a"), Members: []Member{{ID: "a", InstanceID: ptr("i"), Subscription: []byte("s"), Assignment: []byte("b")}}}
	tests := []struct {
		raw   []byte
		parse func([]byte) error
	}{
		{AppendOffsetKey(nil, "g", "t", 1), func(b []byte) error { _, err := ParseKey(b); return err }},
		{AppendGroupKey(nil, "g"), func(b []byte) error { _, err := ParseKey(b); return err }},
		{AppendOffsetValue(nil, v), func(b []byte) error { _, err := ParseOffsetValue(b); return err }},
		{AppendOffsetValue(nil, old), func(b []byte) error { _, err := ParseOffsetValue(b); return err }},
		{AppendGroupValue(nil, group), func(b []byte) error { _, err := ParseGroupValue(b); return err }},
	}
	for _, tc := range tests {
		if err := tc.parse(tc.raw); err != nil {
			t.Errorf("%x: %v", tc.raw, err)
		}
		for n := range tc.raw {
			if tc.parse(tc.raw[:n:n]) == nil {
				t.Errorf("%x was taken, the whole is %x", tc.raw[:n], tc.raw)
			}
		}
	}
}

func TestUnknownVersionsAreRefusedAndUnknownTypesTold(t *testing.T) {
	for _, b := range [][]byte{{0, 5}, {0xff, 0xff}} {
		if _, err := ParseOffsetValue(append(b, make([]byte, 100)...)); err == nil {
			t.Errorf("an offset of version %x was read", b)
		}
		if _, err := ParseGroupValue(append(b, make([]byte, 100)...)); err == nil {
			t.Errorf("metadata of version %x was read", b)
		}
	}
	for _, unknown := range []byte{9, 18, 24} {
		k, err := ParseKey([]byte{0, unknown, 0, 1, 'g'})
		if err != nil || k != (Key{Type: int16(unknown)}) || k.Known() {
			t.Errorf("a key of type %d: %+v, %v", unknown, k, err)
		}
	}
}

// hostile claims a great many members in few bytes.
func hostile() []byte {
	b := AppendGroupValue(nil, GroupValue{ProtocolType: "consumer"})
	copy(b[len(b)-4:], []byte{0x7f, 0xff, 0xff, 0xff})
	return append(b, make([]byte, 1000)...)
}

func TestAClaimOfManyMembersCostsNoMemory(t *testing.T) {
	b := hostile()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := ParseGroupValue(b)
	runtime.ReadMemStats(&after)
	if err == nil || after.TotalAlloc-before.TotalAlloc > 1<<20 {
		t.Errorf("%d bytes were allocated for %d, error %v", after.TotalAlloc-before.TotalAlloc, len(b), err)
	}
}

// FuzzRecords holds that no bytes panic, and that what is read is written back
// and read again the same.
func FuzzRecords(f *testing.F) {
	f.Add(AppendOffsetKey(nil, "g", "t", 1), AppendOffsetValue(nil, OffsetValue{Metadata: "m", ExpireMs: -1, TopicID: uuid.UUID{1}}))
	f.Add(AppendGroupKey(nil, "g"), AppendGroupValue(nil, GroupValue{ProtocolType: "consumer", Members: []Member{{ID: "a"}}}))
	f.Add(AppendGroupKey(nil, "g"), hostile())
	f.Fuzz(func(t *testing.T, key, value []byte) {
		if k, err := ParseKey(key); err == nil && k.Known() {
			again, err := ParseKey(AppendKey(nil, k))
			if err != nil || again != k {
				t.Errorf("key %+v became %+v, %v", k, again, err)
			}
		}
		if v, err := ParseOffsetValue(value); err == nil {
			if again, err := ParseOffsetValue(AppendOffsetValue(nil, v)); err != nil || !sameOffset(v, again) {
				t.Errorf("offset %+v became %+v, %v", v, again, err)
			}
		}
		if v, err := ParseGroupValue(value); err == nil {
			if again, err := ParseGroupValue(AppendGroupValue(nil, v)); err != nil || fmt.Sprintf("%+v", plain(v)) != fmt.Sprintf("%+v", plain(again)) {
				t.Errorf("group %+v became %+v, %v", v, again, err)
			}
		}
		_, _ = ParseSubscription(value) // must only not panic
		_, _ = ParseWholeSubscription(value)
		_, _ = ParseAssignment(value)
		for _, c := range consumerCodecs {
			c.again(t, value)
		}
	})
}

// sameOffset compares what a version can say.
func sameOffset(a, b OffsetValue) bool {
	if a.ExpireMs >= 0 { // version 1 has neither epoch nor topic
		a.LeaderEpoch, a.TopicID = -1, uuid.UUID{}
	} else {
		a.ExpireMs = -1
	}
	return a == b
}

// plain follows the pointers; a rebalance timeout of -1 is the session's.
func plain(v GroupValue) string {
	text := fmt.Sprintf("%q %d %s %s %d", v.ProtocolType, v.Generation, deref(v.Protocol), deref(v.Leader), v.StateMs)
	for _, m := range v.Members {
		text += fmt.Sprintf(" %q %s %q %q %d %d %x %x", m.ID, deref(m.InstanceID), m.ClientID, m.ClientHost, m.RebalanceMs, m.SessionMs, m.Subscription, m.Assignment)
	}
	return text
}

func deref(s *string) string {
	if s == nil {
		return "nil"
	}
	return fmt.Sprintf("%q", *s)
}
