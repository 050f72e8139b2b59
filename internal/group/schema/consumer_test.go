package schema

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/uuid"
)

// codec writes and reads one kind of value.
type codec struct {
	name   string
	random func(*rand.Rand) any
	write  func(any) []byte
	read   func([]byte) (any, error)
}

func codecOf[T any](name string, random func(*rand.Rand) T, write func([]byte, T) []byte, read func([]byte) (T, error)) codec {
	return codec{
		name, func(r *rand.Rand) any { return random(r) },
		func(v any) []byte { return write(nil, v.(T)) },
		func(b []byte) (any, error) { return read(b) },
	}
}

// again holds that what is read is written and read again the same.
func (c *codec) again(t *testing.T, b []byte) {
	t.Helper()
	v, err := c.read(b)
	if err != nil {
		return
	}
	w, err := c.read(c.write(v))
	if err != nil || !reflect.DeepEqual(v, w) {
		t.Errorf("%s: %+v became %+v, %v", c.name, v, w, err)
	}
}

var consumerCodecs = []codec{
	codecOf("group", func(r *rand.Rand) ConsumerGroupValue {
		return ConsumerGroupValue{Epoch: r.Int32(), Hash: r.Int64() * r.Int64N(2)}
	}, AppendConsumerGroup, ParseConsumerGroup),
	codecOf("member", randomMember, AppendConsumerMember, ParseConsumerMember),
	codecOf("target", func(r *rand.Rand) TargetValue {
		return TargetValue{Epoch: r.Int32(), AtMs: r.Int64() * r.Int64N(2)}
	}, AppendTarget, ParseTarget),
	codecOf("target of a member", func(r *rand.Rand) []TopicPartitions { return randomParts(r, false) }, AppendTargetMember, ParseTargetMember),
	codecOf("current", func(r *rand.Rand) CurrentValue {
		return CurrentValue{r.Int32(), r.Int32(), int8(r.IntN(256) - 128), randomParts(r, true), randomParts(r, true)}
	}, AppendCurrent, ParseCurrent),
	codecOf("regular expression", func(r *rand.Rand) RegexValue {
		return RegexValue{randomTexts(r), r.Int64(), r.Int64()}
	}, AppendRegex, ParseRegex),
}

func randomTexts(r *rand.Rand) (out []string) {
	for range r.IntN(4) {
		out = append(out, randomText(r))
	}
	return out
}

func randomParts(r *rand.Rand, epochs bool) (out []TopicPartitions) {
	for range r.IntN(4) {
		p := TopicPartitions{Topic: uuid.UUID(randomID(r))}
		for range 1 + r.IntN(4) {
			p.Partitions = append(p.Partitions, r.Int32())
		}
		if epochs && r.IntN(2) == 0 {
			for range p.Partitions {
				p.Epochs = append(p.Epochs, r.Int32())
			}
		}
		out = append(out, p)
	}
	return out
}

func randomMember(r *rand.Rand) ConsumerMemberValue {
	v := ConsumerMemberValue{
		InstanceID: maybe(r), RackID: maybe(r), ClientID: randomText(r), ClientHost: randomText(r),
		Topics: randomTexts(r), Regex: maybe(r), RebalanceMs: r.Int32(), Assignor: maybe(r),
	}
	if r.IntN(2) == 0 {
		v.Classic = &ClassicMember{SessionMs: r.Int32()}
		for range r.IntN(3) {
			v.Classic.Protocols = append(v.Classic.Protocols, ClassicProtocol{randomText(r), append([]byte(nil), randomBytes(r)...)})
		}
	}
	return v
}

func TestValuesOfConsumerGroupsAreReadAsTheyWereWritten(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range consumerCodecs {
		for range 300 {
			v := c.random(r)
			b := c.write(v)
			if got, err := c.read(b); err != nil || !reflect.DeepEqual(got, v) {
				t.Fatalf("%s: got %+v, %v, want %+v", c.name, got, err, v)
			}
			for n := range b {
				if _, err := c.read(b[:n:n]); err == nil {
					t.Fatalf("%s: %x was taken, the whole is %x", c.name, b[:n], b)
				}
			}
			if _, err := c.read(append([]byte{0, 1}, b[2:]...)); err == nil {
				t.Fatalf("%s of version 1 was read", c.name)
			}
		}
	}
}

func TestEveryKeyIsReadAsItWasWritten(t *testing.T) {
	for recordType := range int16(26) {
		k := Key{Type: recordType, Group: "g"}
		switch formOf(recordType) {
		case unknownForm:
			continue
		case memberForm:
			k.Member = "m"
		case offsetForm:
			k.Topic, k.Partition = "t", 7
		}
		if got, err := ParseKey(AppendKey(nil, k)); err != nil || got != k {
			t.Errorf("key %+v became %+v, %v", k, got, err)
		}
	}
}

func TestWholeSubscriptionsAgreeWithAnotherCodec(t *testing.T) {
	for version := range int16(4) {
		s := kmsg.NewConsumerMemberMetadata()
		s.Version, s.Topics, s.UserData, s.Generation, s.Rack = version, []string{"b", "a"}, []byte("x"), 3, ptr("r")
		s.OwnedPartitions = []kmsg.ConsumerMemberMetadataOwnedPartition{{Topic: "a", Partitions: []int32{1, 2}}}
		want := Subscription{Version: version, Topics: s.Topics, UserData: s.UserData, Generation: -1}
		if version >= 1 {
			want.Owned = []NamedPartitions{{"a", []int32{1, 2}}}
		}
		if version >= 2 {
			want.Generation = 3
		}
		if version >= 3 {
			want.Rack = ptr("r")
		}
		raw := s.AppendTo(nil)
		if got, err := ParseWholeSubscription(raw); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("version %d: got %+v, %v, want %+v", version, got, err, want)
		}
		for n := range raw {
			if got, err := ParseWholeSubscription(raw[:n:n]); err == nil {
				t.Errorf("version %d: %d bytes of %d gave %+v", version, n, len(raw), got)
			}
		}
	}
	later := append([]byte{0, 9}, AppendAssignment(nil, 0, nil)[2:]...)
	if _, err := ParseWholeSubscription(append(later, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, 0xff, 42)); err != nil {
		t.Errorf("a later version with more at its end: %v", err)
	}
	for _, bad := range [][]byte{nil, {0xff, 0xff, 0, 0, 0, 0}, {0, 0, 0x7f, 0xff, 0xff, 0xff, 0}} {
		if got, err := ParseWholeSubscription(bad); err == nil {
			t.Errorf("%x gave %+v", bad, got)
		}
	}
}

func TestAssignmentsAgreeWithAnotherCodec(t *testing.T) {
	parts := []NamedPartitions{{"a", []int32{0, 1}}, {"b", nil}}
	for version := range int16(4) {
		raw := AppendAssignment(nil, version, parts)
		var other kmsg.ConsumerMemberAssignment
		if err := other.ReadFrom(raw); err != nil || other.Version != version || len(other.Topics) != 2 || other.Topics[0].Topic != "a" || !reflect.DeepEqual(other.Topics[0].Partitions, []int32{0, 1}) {
			t.Errorf("version %d is read as %+v, %v", version, other, err)
		}
		got, err := ParseAssignment(raw)
		if err != nil || !reflect.DeepEqual(got, MemberAssignment{Version: version, Parts: parts}) {
			t.Errorf("version %d: got %+v, %v", version, got, err)
		}
		for n := range raw {
			if _, err := ParseAssignment(raw[:n:n]); err == nil {
				t.Errorf("version %d: %d bytes of %d were taken", version, n, len(raw))
			}
		}
	}
}
