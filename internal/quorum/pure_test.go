package quorum

import (
	"fmt"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/metadata"
	"ottla/internal/uuid"
)

// Members of the tests' quorums.
var (
	dirA   = uuid.UUID{0xa}
	dirB   = uuid.UUID{0xb}
	voterA = Voter{ID: 1, DirectoryID: dirA, Endpoints: []VoterEndpoint{{"CONTROLLER", "a.example", 9093}}}
	voterB = Voter{ID: 2, DirectoryID: dirB}
	idA    = raftID(1, dirA)
	idB    = raftID(2, dirB)
)

// feature is a record that only counts.
func feature(level int16) metadata.Record {
	return &metadata.FeatureLevelRecord{Name: "group.version", Level: level}
}

func topicRecords(n int) []metadata.Record {
	id := uuid.UUID{1, byte(n >> 8), byte(n)}
	return []metadata.Record{
		&metadata.TopicRecord{Name: fmt.Sprintf("topic-%05d", n), ID: id},
		&metadata.PartitionRecord{Partition: 0, TopicID: id, Replicas: []int32{1}, ISR: []int32{1}, Leader: 1, Directories: []uuid.UUID{dirA}},
	}
}

func imageOf(t *testing.T, records ...metadata.Record) *metadata.Image {
	t.Helper()
	img, _, err := metadata.Empty().With(int64(len(records))-1, 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// sameImage compares by the records that images list.
func sameImage(t *testing.T, got, want *metadata.Image) {
	t.Helper()
	list := func(i *metadata.Image) (s []string) {
		for r := range i.Records() {
			s = append(s, string(metadata.Append(nil, r)))
		}
		return s
	}
	g, w := list(got), list(want)
	if len(g) != len(w) {
		t.Fatalf("the image has %d records, want %d", len(g), len(w))
	}
	for i := range g {
		if g[i] != w[i] {
			t.Fatalf("record %d of the image is %q, want %q", i, g[i], w[i])
		}
	}
}

func entry(index, term uint64, kind pb.EntryType, data []byte) *pb.Entry {
	return &pb.Entry{Index: new(index), Term: new(term), Type: kind.Enum(), Data: data}
}
