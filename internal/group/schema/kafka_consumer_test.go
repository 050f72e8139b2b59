package schema

import (
	"bytes"
	"reflect"
	"testing"

	"ottla/internal/uuid"
)

// A consumer group of two members as a Kafka 4.4.0 broker wrote it: each value
// is read, and written again byte for byte.
func TestKafkasConsumerGroupsAreReadAndWrittenByteForByte(t *testing.T) {
	topic := uuid.UUID(fromHex(t, "5eaf65e4d6b84acbb523b8a1095ac708"))
	first := Key{Group: "served-group", Member: "member-a"}
	whole := Key{Group: "served-group"}
	for _, c := range []struct {
		recordType int16
		key        Key
		value      string
		want       any
		codec      codec
	}{
		{ConsumerMember, first, "000000000e7365727665642d636c69656e740b2f3132372e302e302e310207736572766564010000ea600001000100",
			ConsumerMemberValue{ClientID: "served-client", ClientHost: "/127.0.0.1", Topics: []string{"served"}, Regex: ptr(""), RebalanceMs: 60000}, codecNamed("member")},
		{ConsumerGroupMetadata, whole, "000000000002010008f6c8355dbf85da7d", ConsumerGroupValue{Epoch: 2, Hash: -664222268275697027}, codecNamed("group")},
		{ConsumerTargetMember, first, "0000025eaf65e4d6b84acbb523b8a1095ac708040000000000000001000000020000",
			[]TopicPartitions{{Topic: topic, Partitions: []int32{0, 1, 2}}}, codecNamed("target of a member")},
		{ConsumerTarget, whole, "000000000002010008000001a21455e853", TargetValue{Epoch: 2, AtMs: 0x01a21455e853}, codecNamed("target")},
		{ConsumerCurrent, first, "0000000000020000000000025eaf65e4d6b84acbb523b8a1095ac7080400000000000000010000000201000d040000000200000002000000020100",
			CurrentValue{Epoch: 2, Assigned: []TopicPartitions{{topic, []int32{0, 1, 2}, []int32{2, 2, 2}}}}, codecNamed("current")},
		{ConsumerCurrent, first, "0000000000020000000201025eaf65e4d6b84acbb523b8a1095ac708030000000000000001010009030000000200000002025eaf65e4d6b84acbb523b8a1095ac7080200000002010005020000000200",
			CurrentValue{Epoch: 2, Previous: 2, State: 1, Assigned: []TopicPartitions{{topic, []int32{0, 1}, []int32{2, 2}}}, Revoking: []TopicPartitions{{topic, []int32{2}, []int32{2}}}}, codecNamed("current")},
	} {
		c.key.Type = c.recordType
		value := fromHex(t, c.value)
		got, err := c.codec.read(value)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("type %d: got %+v, %v, want %+v", c.recordType, got, err, c.want)
		}
		if again := c.codec.write(got); !bytes.Equal(again, value) {
			t.Errorf("type %d is written as\n%x, Kafka has\n%x", c.recordType, again, value)
		}
	}
	key := fromHex(t, "0008000c7365727665642d67726f757000086d656d6265722d61")
	if got := AppendKey(nil, Key{Type: ConsumerCurrent, Group: "served-group", Member: "member-a"}); !bytes.Equal(got, key) {
		t.Errorf("the key is written as %x, Kafka has %x", got, key)
	}
}

func codecNamed(name string) codec {
	for _, c := range consumerCodecs {
		if c.name == name {
			return c
		}
	}
	return codec{}
}
