package quorum

import (
	"bytes"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/metadata"
	"ottla/internal/record"
	"ottla/internal/vfs"
)

func testMeta() snapshotMeta {
	return snapshotMeta{End: 700, Term: 3, Index: 42, TimestampMs: 1234567890123, ClusterID: "C",
		Conf: &pb.ConfState{Voters: []uint64{idA}, AutoLeave: new(false)}, Voters: newVoterSet(voterA)}
}

func snapshotBytes(t testing.TB, m snapshotMeta, img *metadata.Image) (whole []byte, batches int) {
	t.Helper()
	err := encodeSnapshot(m, img, func(b []byte) error {
		whole = append(whole, b...)
		batches++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return whole, batches
}

func TestSnapshotRoundTrip(t *testing.T) {
	var records []metadata.Record
	for n := range 5000 {
		records = append(records, topicRecords(n)...)
	}
	want := imageOf(t, records...)
	m := testMeta()
	text, batches := snapshotBytes(t, m, want)
	if batches < 5 {
		t.Errorf("%d records went into %d batches, want several", len(records), batches)
	}
	got, gm, err := decodeSnapshot(bytes.NewReader(text), int64(len(text)), m.End, m.Term)
	if err != nil {
		t.Fatal(err)
	}
	sameImage(t, got, want)
	if got.Offset != 699 || got.Epoch != 3 {
		t.Errorf("the image is at offset %d, epoch %d, want 699 and 3", got.Offset, got.Epoch)
	}
	if gm.Index != 42 || gm.ClusterID != "C" || gm.TimestampMs != m.TimestampMs || gm.Conf.GetVoters()[0] != idA || len(gm.Voters.list()) != 1 {
		t.Errorf("it says %+v, want %+v", gm, m)
	}
}

func TestEmptySnapshotRoundTrip(t *testing.T) {
	m := testMeta()
	text, _ := snapshotBytes(t, m, metadata.Empty())
	img, _, err := decodeSnapshot(bytes.NewReader(text), int64(len(text)), m.End, m.Term)
	if err != nil || img.TopicCount() != 0 {
		t.Fatalf("got %d topics, %v", img.TopicCount(), err)
	}
}

// A snapshot is whole or it is none: no cut and no flipped bit goes unseen.
func TestDamagedSnapshotIsNeverTaken(t *testing.T) {
	m := testMeta()
	text, _ := snapshotBytes(t, m, imageOf(t, topicRecords(1)...))
	check := func(what string, at int, b []byte) {
		t.Helper()
		if _, _, err := decodeSnapshot(bytes.NewReader(b), int64(len(b)), m.End, m.Term); err == nil {
			t.Fatalf("%s at byte %d went unseen", what, at)
		}
	}
	for i := range text {
		check("a cut", i, text[:i])
		bad := bytes.Clone(text)
		bad[i] ^= 4
		check("a flipped bit", i, bad)
	}
	check("a second footer", len(text), append(bytes.Clone(text), text[len(text)-80:]...))
	if _, _, err := decodeSnapshot(bytes.NewReader(text), int64(len(text)), m.End, m.Term+1); err == nil {
		t.Error("a snapshot under the name of another epoch was taken")
	}
}

func FuzzDecodeSnapshot(f *testing.F) {
	img, _, err := metadata.Empty().With(1, 1, topicRecords(1)...)
	if err != nil {
		f.Fatal(err)
	}
	text, _ := snapshotBytes(f, testMeta(), img)
	f.Add(text)
	f.Add(text[:100])
	f.Fuzz(func(t *testing.T, b []byte) {
		got, _, err := decodeSnapshot(bytes.NewReader(b), int64(len(b)), 700, 3)
		if err == nil && got == nil {
			t.Fatal("no image and no error")
		}
	})
}

// What is inside the CRC may be anything that somebody sealed.
func FuzzControlRecords(f *testing.F) {
	f.Add(leaderChangeValue(1, []Voter{voterA}), int16(record.ControlLeaderChange))
	f.Add(votersValue([]Voter{voterA}), int16(record.ControlKRaftVoters))
	f.Fuzz(func(t *testing.T, value []byte, kind int16) {
		b := newControlBatch(1)
		b.Add(0, record.ControlKey(kind), value, record.RecordHeader{Key: confChangeHeader, Value: value})
		batch := b.Build(0)
		h, err := record.ParseHeader(batch)
		if err != nil {
			t.Fatal(err)
		}
		e, err := entryOf(&h, batch, 5)
		if err != nil || e.GetType() == pb.EntryNormal {
			return
		}
		voters := newVoterSet(voterA)
		if next, err := voters.after(e); err == nil && next == nil {
			t.Fatal("no voters and no error")
		}
		if conf, err := confAfter(&pb.ConfState{Voters: []uint64{idA}}, 5, e); err == nil && conf == nil {
			t.Fatal("no configuration and no error")
		}
	})
}

func TestNewestSoundSnapshotIsTaken(t *testing.T) {
	f := vfs.NewMem(0)
	if err := f.MkdirAll("/q", 0o755); err != nil {
		t.Fatal(err)
	}
	c := &checkpoints{fs: f, dir: "/q"}
	for n := range int64(4) {
		m := testMeta()
		m.End, m.Index = 100*(n+1), uint64(n+1)
		if err := c.write(m, imageOf(t, topicRecords(int(n))...)); err != nil {
			t.Fatal(err)
		}
		if _, err := c.keep(m); err != nil {
			t.Fatal(err)
		}
	}
	if file, err := f.OpenFile("/q/"+snapshotID{500, 3}.file()+".part", 0x42, 0o644); err != nil {
		t.Fatal(err)
	} else {
		file.Close()
	}
	c, err := listCheckpoints(f, "/q")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.ids) != 2 || c.ids[0].End != 300 || c.ids[1].End != 400 {
		t.Fatalf("kept %+v, want those at 300 and 400", c.ids)
	}
	if _, m, damaged := c.newest(); m.End != 400 || damaged != nil {
		t.Errorf("loaded the one at %d, damaged %v", m.End, damaged)
	}
	file, err := f.OpenFile(c.path(c.ids[1]), 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.WriteAt([]byte{0xff}, 100); err != nil {
		t.Fatal(err)
	}
	file.Close()
	if img, m, damaged := c.newest(); m.End != 300 || len(damaged) != 1 || img.TopicByName("topic-00002") == nil {
		t.Errorf("with the newest damaged: loaded the one at %d, damaged %v", m.End, damaged)
	}
	if _, err := f.Stat("/q/" + snapshotID{500, 3}.file() + ".part"); err == nil {
		t.Error("a half-written snapshot was left")
	}
}
