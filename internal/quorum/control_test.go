package quorum

import (
	"reflect"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/uuid"
)

func TestVotersRecordRoundTrip(t *testing.T) {
	for _, want := range [][]Voter{nil, {voterA}, {voterA, voterB, {ID: 1<<31 - 1, DirectoryID: uuid.UUID{15: 9}, Endpoints: []VoterEndpoint{{"A", "h", 65535}, {"B", "::1", 0}}}}} {
		got, err := parseVoters(votersValue(want))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

// The bytes of KRaft's schemas, written out by hand from the JSON of Kafka 4.4.
func TestControlValuesHaveKafkasBytes(t *testing.T) {
	d := string(dirA[:])
	for name, tt := range map[string]struct{ got, want string }{
		"LeaderChangeMessage": {string(leaderChangeValue(1, []Voter{voterA})),
			"\x00\x00" + "\x00\x00\x00\x01" + "\x02" + "\x00\x00\x00\x01" + "\x00" + "\x02" + "\x00\x00\x00\x01" + "\x00" + "\x00"},
		"VotersRecord": {string(votersValue([]Voter{{ID: 1, DirectoryID: dirA, Endpoints: []VoterEndpoint{{"C", "hh", 258}}}})),
			"\x00\x00" + "\x02" + "\x00\x00\x00\x01" + d + "\x02" + "\x02C" + "\x03hh" + "\x01\x02" + "\x00" + "\x00\x00\x00\x01\x00" + "\x00" + "\x00"},
		"KRaftVersionRecord":   {string(kraftVersionValue()), "\x00\x00\x00\x01\x00"},
		"SnapshotHeaderRecord": {string(snapshotHeaderValue(258)), "\x00\x00\x00\x00\x00\x00\x00\x00\x01\x02\x00"},
		"SnapshotFooterRecord": {string(snapshotFooterValue()), "\x00\x00\x00"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %q, want %q", name, tt.got, tt.want)
		}
	}
}

func FuzzParseVoters(f *testing.F) {
	f.Add(votersValue([]Voter{voterA, voterB}))
	f.Add([]byte{0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Add([]byte{0, 0, 2, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		voters, err := parseVoters(b)
		if err != nil {
			return
		}
		again, err := parseVoters(votersValue(voters))
		if err != nil || !reflect.DeepEqual(again, voters) {
			t.Fatalf("%+v comes back as %+v, %v", voters, again, err)
		}
	})
}

func TestRaftIDsBelongToNodeAndDirectory(t *testing.T) {
	seen := map[uint64]bool{}
	for node := range int32(20) {
		for d := range byte(20) {
			id := raftID(node, uuid.UUID{d})
			if id == 0 || id >= 1<<64-3 || seen[id] {
				t.Fatalf("node %d directory %d has id %x, which is taken or reserved", node, d, id)
			}
			seen[id] = true
			if id != raftID(node, uuid.UUID{d}) {
				t.Fatal("the id is not stable")
			}
		}
	}
}

// A change of the quorum moves the voters and the library's configuration alike.
func TestVotersAndConfigurationChangeAlike(t *testing.T) {
	voters, conf := newVoterSet(voterA), &pb.ConfState{Voters: []uint64{idA}}
	step := func(kind pb.EntryType, c pb.ConfChangeI) {
		t.Helper()
		_, data, err := pb.MarshalConfChange(c)
		if err != nil {
			t.Fatal(err)
		}
		e := entry(9, 1, kind, data)
		if voters, err = voters.after(e); err != nil {
			t.Fatal(err)
		}
		if conf, err = confAfter(conf, 9, e); err != nil {
			t.Fatal(err)
		}
	}
	step(pb.EntryConfChange, &pb.ConfChange{Type: pb.ConfChangeAddNode.Enum(), NodeId: new(idB), Context: votersValue([]Voter{voterB})})
	if got := voters.list(); len(got) != 2 || got[1].ID != 2 || len(conf.Voters) != 2 {
		t.Fatalf("after the addition: voters %+v, configuration %v", got, conf)
	}
	if soleVoter(conf, idA) {
		t.Error("two voters count as one")
	}
	step(pb.EntryConfChangeV2, &pb.ConfChangeV2{Changes: []*pb.ConfChangeSingle{{Type: pb.ConfChangeRemoveNode.Enum(), NodeId: new(idB)}}})
	if got := voters.list(); len(got) != 1 || got[0].ID != 1 || !soleVoter(conf, idA) {
		t.Fatalf("after the removal: voters %+v, configuration %v", got, conf)
	}
	_, data, err := pb.MarshalConfChange(&pb.ConfChange{Type: pb.ConfChangeAddNode.Enum(), NodeId: new(uint64(77))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := voters.after(entry(9, 1, pb.EntryConfChange, data)); err == nil {
		t.Error("a stranger was taken as a voter")
	}
}
