package metadata

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"ottla/internal/uuid"
)

func id(n byte) uuid.UUID  { return uuid.UUID{0: 0x70, 15: n} }
func str(s string) *string { return &s }

// samples has every record type with every field set, and with none.
func samples() []Record {
	tag := unknownTags{n: 2, raw: "\x32\x01x\x33\x02yz"} // tags 50 and 51
	endpoints := []Endpoint{
		{Name: "PLAINTEXT", Host: "10.0.0.1", Port: 65535, SecurityProtocol: 3},
		{Name: "B", Host: "", Port: 0, unknown: tag},
	}
	features := []FeatureRange{{Name: "metadata.version", Min: 7, Max: 33}, {Name: "x", Min: -1, unknown: tag}}
	return []Record{
		&RegisterBrokerRecord{},
		&RegisterBrokerRecord{
			BrokerID: 7, IsMigratingZkBroker: true, IncarnationID: id(1), BrokerEpoch: 1 << 40,
			Endpoints: endpoints, Features: features, Rack: str("r1"), Fenced: true, InControlledShutdown: true,
			LogDirs: []uuid.UUID{id(2), id(3)}, CordonedLogDirs: []uuid.UUID{}, unknown: tag,
		},
		UnregisterBroker(3, 9),
		&FenceBrokerRecord{brokerAndEpoch{BrokerID: 1, BrokerEpoch: 2, unknown: tag}},
		&UnfenceBrokerRecord{brokerAndEpoch{BrokerID: 1, BrokerEpoch: 2}},
		&BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 2},
		&BrokerRegistrationChangeRecord{
			BrokerID: 1, BrokerEpoch: 2, Fenced: -1, InControlledShutdown: 1,
			LogDirs: []uuid.UUID{id(2)}, CordonedLogDirs: []uuid.UUID{id(2)}, unknown: tag,
		},
		&TopicRecord{Name: "orders", ID: id(4), unknown: tag},
		&PartitionRecord{},
		&PartitionRecord{
			Partition: 5, TopicID: id(4), Replicas: []int32{1, 2}, ISR: []int32{2}, Removing: []int32{3}, Adding: []int32{4},
			Leader: -1, LeaderRecoveryState: 1, LeaderEpoch: 6, PartitionEpoch: 7,
			Directories: []uuid.UUID{id(2), id(3)}, ELR: []int32{}, LastELR: []int32{1}, unknown: tag,
		},
		ChangePartition(id(4), 1),
		&PartitionChangeRecord{
			Partition: 5, TopicID: id(4), ISR: []int32{}, Leader: -1, Replicas: []int32{1, 2}, Removing: []int32{},
			Adding: []int32{2}, LeaderRecoveryState: 0, Directories: []uuid.UUID{id(2), id(3)},
			ELR: []int32{1}, LastELR: []int32{}, unknown: tag,
		},
		&RemoveTopicRecord{TopicID: id(4), unknown: tag},
		&ClearELRRecord{Topic: "orders", unknown: tag},
		&ConfigRecord{ResourceType: 2, ResourceName: "orders", Name: "a", Value: str(""), unknown: tag},
		&ConfigRecord{ResourceType: 4, ResourceName: "", Name: "a"},
		&FeatureLevelRecord{Name: "metadata.version", Level: 33, unknown: tag},
		&ProducerIDsRecord{BrokerID: 1, BrokerEpoch: 2, NextProducerID: 3000, unknown: tag},
		&NoOpRecord{},
		&RegisterControllerRecord{ControllerID: 1, IncarnationID: id(1), ZkMigrationReady: true, Endpoints: endpoints, Features: features, unknown: tag},
		&UnregisterControllerRecord{ControllerID: 1, unknown: tag},
		&BeginTransactionRecord{},
		&BeginTransactionRecord{Name: str("Bootstrap records"), unknown: tag},
		&EndTransactionRecord{tag},
		&AbortTransactionRecord{Reason: str("")},
		&Opaque{Type: TypeClientQuota, Version: 3, Body: []byte("any")},
	}
}

func TestRecordsComeBackFromTheirBytes(t *testing.T) {
	for _, want := range samples() {
		b := Append([]byte("x"), want)[1:]
		got, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", TypeName(want.RecordType()), err)
			continue
		}
		if again := Append(nil, got); !bytes.Equal(again, b) {
			t.Errorf("%s %+v is written again as\n%x, want\n%x", TypeName(want.RecordType()), want, again, b)
		}
		if reflect.TypeOf(got) != reflect.TypeOf(want) {
			t.Errorf("%T comes back as %T", want, got)
		}
	}
}

func TestARecordCutAnywhereIsRefused(t *testing.T) {
	for _, r := range samples() {
		if r.RecordType() == TypeClientQuota {
			continue // its body is anything
		}
		b := Append(nil, r)
		for n := range b {
			if got, err := Parse(b[:n]); err == nil {
				t.Errorf("%s cut to %d of %d bytes reads as %+v", TypeName(r.RecordType()), n, len(b), got)
			}
		}
		if _, err := Parse(append(b, 0)); err == nil {
			t.Errorf("%s with a byte behind its end is accepted", TypeName(r.RecordType()))
		}
	}
}

// older has records of versions before the newest, as Kafka writes them, drawn
// by hand from the schemas.
var older = []struct {
	name, hex string
	want      Record
}{
	{
		"REGISTER_BROKER 0", "010000" + "00000001" + "70000000000000000000000000000001" + "0000000000000009" + "01" + "01" + "00" + "01" + "00",
		&RegisterBrokerRecord{BrokerID: 1, IncarnationID: id(1), BrokerEpoch: 9, Fenced: true, below: 4},
	},
	{
		"REGISTER_BROKER 1", "010001" + "00000001" + "70000000000000000000000000000001" + "0000000000000009" + "01" + "01" + "0272" + "00" + "01" + "00",
		&RegisterBrokerRecord{BrokerID: 1, IncarnationID: id(1), BrokerEpoch: 9, Rack: str("r"), InControlledShutdown: true, below: 3},
	},
	{
		"REGISTER_BROKER 3", "010003" + "00000001" + "00" + "70000000000000000000000000000001" + "0000000000000009" + "01" + "01" + "00" + "00" + "00" +
			"01" + "00" + "11" + "02" + "70000000000000000000000000000002",
		&RegisterBrokerRecord{BrokerID: 1, IncarnationID: id(1), BrokerEpoch: 9, LogDirs: []uuid.UUID{id(2)}, below: 1},
	},
	{
		"PARTITION 0", "010300" + "00000002" + "70000000000000000000000000000004" + "0200000001" + "0200000001" + "01" + "01" + "00000001" + "00000003" + "00000004" + "00",
		&PartitionRecord{Partition: 2, TopicID: id(4), Replicas: []int32{1}, ISR: []int32{1}, Removing: []int32{}, Adding: []int32{}, Leader: 1, LeaderEpoch: 3, PartitionEpoch: 4, below: 2},
	},
	{
		"PARTITION 1", "010301" + "00000002" + "70000000000000000000000000000004" + "0200000001" + "0200000001" + "01" + "01" + "00000001" + "00000003" + "00000004" +
			"02" + "70000000000000000000000000000002" + "01" + "00" + "01" + "01",
		&PartitionRecord{Partition: 2, TopicID: id(4), Replicas: []int32{1}, ISR: []int32{1}, Removing: []int32{}, Adding: []int32{}, Leader: 1, LeaderEpoch: 3, PartitionEpoch: 4,
			Directories: []uuid.UUID{id(2)}, LeaderRecoveryState: 1, below: 1},
	},
	{
		"PARTITION_CHANGE 0", "010500" + "00000002" + "70000000000000000000000000000004" + "01" + "01" + "04" + "00000001",
		&PartitionChangeRecord{Partition: 2, TopicID: id(4), Leader: 1, LeaderRecoveryState: RecoveryUnchanged, below: 2},
	},
	{
		// A tag that this version does not have is kept as unknown.
		"PARTITION_CHANGE 0 with tag 6", "010500" + "00000002" + "70000000000000000000000000000004" + "01" + "06" + "01" + "01",
		&PartitionChangeRecord{Partition: 2, TopicID: id(4), Leader: LeaderUnchanged, LeaderRecoveryState: RecoveryUnchanged, below: 2, unknown: unknownTags{1, "\x06\x01\x01"}},
	},
	{
		"BROKER_REGISTRATION_CHANGE 0", "011100" + "00000001" + "0000000000000009" + "01" + "00" + "01" + "ff",
		&BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 9, Fenced: -1, below: 3},
	},
	{
		"BROKER_REGISTRATION_CHANGE 1", "011101" + "00000001" + "0000000000000009" + "01" + "01" + "01" + "01",
		&BrokerRegistrationChangeRecord{BrokerID: 1, BrokerEpoch: 9, InControlledShutdown: 1, below: 2},
	},
}

func TestOlderVersionsAreReadAndWrittenAgainAsTheyWere(t *testing.T) {
	for _, c := range older {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(c.name, err)
		}
		got, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s reads as\n%+v, want\n%+v", c.name, got, c.want)
		}
		if again := Append(nil, got); !bytes.Equal(again, b) {
			t.Errorf("%s is written again as\n%x, want\n%x", c.name, again, b)
		}
	}
}

func TestWhatCannotBeReadSaysWhy(t *testing.T) {
	for _, c := range []struct{ hex, want string }{
		{"", "ends too early"},
		{"001400", "frame version 0"},
		{"021400", "frame version 2, this node knows 1: run a newer Ottla"},
		{"010600", "type 6, which this node does not know: run a newer Ottla"},
		{"01ff0100", "type 255"},
		{"01ffffffff0f00", "type 4294967295"},
		{"01ffffffff7f00", "varint that is too long"},
		{"01ffffffffff", "varint that is too long"},
		{"010303", "PARTITION has version 3, this node knows up to 2: run a newer Ottla"},
		{"010eff7f0000", ""},                                     // an opaque one of a high version
		{"010effff7f00", "CLIENT_QUOTA has version 2097151"},     // no int16
		{"01140001", "NO_OP version 0 has a length beyond"},      // one tag, but nothing behind
		{"0114000201000100", "NO_OP version 0 has a length bey"}, // tags not rising
		{"010200" + "ffffffff0f", "TOPIC version 0 has a length beyond its end"},
		{"010200" + "00", "TOPIC version 0 has null where a value must stand"},
		{"010500" + "00000002" + "70000000000000000000000000000004" + "01" + "01" + "05" + "0000000100", "PARTITION_CHANGE version 0 has a length beyond"},
		{"010500" + "00000002" + "70000000000000000000000000000004" + "01" + "01" + "02" + "0000", "PARTITION_CHANGE version 0 ends too early"},
		{"010500" + "00000002" + "70000000000000000000000000000004" + "01" + "00" + "02" + "0500", "PARTITION_CHANGE version 0 has a length beyond"},
	} {
		b, err := hex.DecodeString(c.hex)
		if err != nil {
			t.Fatal(c.hex, err)
		}
		_, err = Parse(b)
		if c.want == "" && err == nil {
			continue
		}
		if err == nil || c.want == "" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got error %v, want %q", c.hex, err, c.want)
		}
	}
}

func TestLengthsAreBoundedBeforeMemoryIsTaken(t *testing.T) {
	// 200 bytes that claim 2^31 partitions of each kind.
	b := append([]byte{1, 3, 2}, make([]byte, 20)...)
	b = append(b, 0xff, 0xff, 0xff, 0xff, 0x07)
	b = append(b, make([]byte, 172)...)
	if n := testing.AllocsPerRun(10, func() { _, _ = Parse(b) }); n > 12 {
		t.Errorf("a record that claims 2^31 replicas takes %v allocations", n)
	}
	if _, err := Parse(b); err == nil || !strings.Contains(err.Error(), "length beyond its end") {
		t.Errorf("got %v", err)
	}
}

func TestTypesHaveKafkasNames(t *testing.T) {
	for typ, want := range map[int16]string{
		0: "REGISTER_BROKER", 5: "PARTITION_CHANGE", 15: "PRODUCER_IDS", 29: "UNREGISTER_CONTROLLER",
		6: "type 6", -1: "type -1", 99: "type 99",
	} {
		if got := TypeName(typ); got != want {
			t.Errorf("TypeName(%d) = %q, want %q", typ, got, want)
		}
	}
}

// FuzzParse holds Parse to its promises: no panic, memory in proportion, and
// what it accepts is written in one form only.
func FuzzParse(f *testing.F) {
	for _, b := range kafkaLog(f) {
		f.Add(b)
	}
	for _, r := range samples() {
		f.Add(Append(nil, r))
	}
	for _, c := range older {
		b, _ := hex.DecodeString(c.hex)
		f.Add(b)
	}
	full := kafkaImage(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Parse(b)
		if err != nil {
			return
		}
		once := Append(nil, r)
		if len(once) > 2*len(b)+16 {
			t.Fatalf("%d bytes became %d", len(b), len(once))
		}
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("%x is accepted, but what is written for it, %x, is not: %v", b, once, err)
		}
		if twice := Append(nil, again); !bytes.Equal(once, twice) {
			t.Fatalf("%x is written as %x and then as %x", b, once, twice)
		}
		// Applying never panics either, whatever the fields say.
		_, _, _ = Empty().With(0, 0, r)
		_, _, _ = full.With(0, 0, r)
	})
}
