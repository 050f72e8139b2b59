package quorum

import (
	"bytes"
	"strings"
	"testing"

	pb "go.etcd.io/raft/v3/raftpb"

	"ottla/internal/metadata"
)

func appMessage(entries ...*pb.Entry) *pb.Message {
	return &pb.Message{Type: pb.MsgApp.Enum(), To: new(idA), From: new(idB), Term: new(uint64(5)), Index: new(uint64(7)), LogTerm: new(uint64(4)), Entries: entries}
}

func messageFrame(t testing.TB, msgs ...*pb.Message) []byte {
	t.Helper()
	b := appendHead(nil, frameMessages, idA, idB)
	for _, m := range msgs {
		var err error
		if b, err = appendMessage(b, m); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

func TestMessagesSurviveTheirFrame(t *testing.T) {
	batch := recordBatch(20, 5, 1000, []metadata.Record{feature(1)})
	want := []*pb.Message{
		appMessage(entry(8, 4, pb.EntryNormal, nil), entry(9, 5, pb.EntryNormal, batch)),
		{Type: pb.MsgHeartbeat.Enum(), To: new(idA), From: new(idB), Term: new(uint64(5)), Commit: new(uint64(8))},
	}
	f, err := parseFrame(messageFrame(t, want...))
	if err != nil || f.kind != frameMessages || f.to != idA || f.from != idB {
		t.Fatalf("got %+v, %v", f, err)
	}
	got, err := parseMessages(f)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v", got, err)
	}
	for i := range want {
		if got[i].String() != want[i].String() {
			t.Errorf("message %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

// What the library takes for granted is checked before it sees it.
func TestStrangeMessagesAreDropped(t *testing.T) {
	sound := recordBatch(20, 5, 1000, []metadata.Record{feature(1)})
	rotten := bytes.Clone(sound)
	rotten[len(rotten)-1] ^= 1
	for why, m := range map[string]*pb.Message{
		"does not travel":         {Type: pb.MsgProp.Enum(), To: new(idA), From: new(idB), Term: new(uint64(5))},
		"carries entries":         {Type: pb.MsgHeartbeat.Enum(), To: new(idA), From: new(idB), Term: new(uint64(5)), Entries: []*pb.Entry{entry(8, 5, pb.EntryNormal, nil)}},
		"carries what it cannot":  {Type: pb.MsgApp.Enum(), To: new(idA), From: new(idB), Term: new(uint64(5)), Snapshot: &pb.Snapshot{}},
		"epoch 0":                 {Type: pb.MsgApp.Enum(), To: new(idA), From: new(idB)},
		"epoch 4294967296":        {Type: pb.MsgApp.Enum(), To: new(idA), From: new(idB), Term: new(uint64(1 << 32))},
		"in a frame from":         {Type: pb.MsgApp.Enum(), To: new(idB), From: new(idA), Term: new(uint64(5))},
		"in the place of entry 8": appMessage(entry(9, 5, pb.EntryNormal, nil)),
		"of epoch 3 after":        appMessage(entry(8, 3, pb.EntryNormal, nil)),
		"of epoch 6 after":        appMessage(entry(8, 6, pb.EntryNormal, nil)),
		"checksum":                appMessage(entry(8, 5, pb.EntryNormal, rotten)),
		"a batch of":              appMessage(entry(8, 5, pb.EntryNormal, append(bytes.Clone(sound), 0))),
		"configuration change":    appMessage(entry(8, 5, pb.EntryConfChange, []byte{0xff})),
	} {
		f, err := parseFrame(messageFrame(t, m))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseMessages(f); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v, %v", why, got, err)
		}
	}
}

func TestFramesOfOtherVersionsAndSizesAreDropped(t *testing.T) {
	good := messageFrame(t, appMessage())
	other := bytes.Clone(good)
	other[0] = 2
	for why, b := range map[string][]byte{"version 2": other, "no room": good[:frameHead-1], "over the limit": make([]byte, MaxFrame+1)} {
		if _, err := parseFrame(b); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: got %v", why, err)
		}
	}
	f, err := parseFrame(good[:len(good)-1])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := parseMessages(f); err == nil {
		t.Error("a message that was cut off was taken")
	}
}

func TestOffersWantsAndPartsRoundTrip(t *testing.T) {
	o := offer{id: snapshotID{700, 3}, index: 42, epoch: 9, size: 1000}
	if got, err := parseOffer(o.append(nil)); err != nil || got != o {
		t.Errorf("got %+v, %v, want %+v", got, err, o)
	}
	w := want{snapshotID{700, 3}, 512}
	if got, rest, err := parseWant(append(w.append(nil), 7)); err != nil || got != w || len(rest) != 1 {
		t.Errorf("got %+v, %v, %v, want %+v", got, rest, err, w)
	}
	chunk := appendChunk(nil, w, []byte("part"))
	if got, part, err := parseChunk(chunk); err != nil || got != w || string(part) != "part" {
		t.Errorf("got %+v, %q, %v", got, part, err)
	}
	for i := wantBytes; i < len(chunk); i++ {
		bad := bytes.Clone(chunk)
		bad[i] ^= 8
		if _, _, err := parseChunk(bad); err == nil {
			t.Errorf("a flipped bit in byte %d went unseen", i)
		}
	}
	for _, bad := range []offer{{id: snapshotID{-1, 3}, index: 1, size: 1}, {index: 0, size: 1}, {index: 1, size: 0}, {index: 1, size: maxSnapshotFile + 1}} {
		if _, err := parseOffer(bad.append(nil)); err == nil {
			t.Errorf("%+v was taken", bad)
		}
	}
}

// Whatever comes, a member takes it or drops it, and goes on leading.
func FuzzFrame(f *testing.F) {
	f.Add(messageFrame(f, appMessage(entry(8, 5, pb.EntryNormal, nil))))
	f.Add(messageFrame(f, &pb.Message{Type: pb.MsgPreVote.Enum(), To: new(idA), From: new(idB), Term: new(uint64(2)), Index: new(uint64(9)), LogTerm: new(uint64(1))}))
	head := func(kind byte) []byte { return appendHead(nil, kind, idA, idB) }
	f.Add(offer{id: snapshotID{700, 3}, index: 42, epoch: 9, size: 1000}.append(head(frameOffer)))
	f.Add(want{snapshotID{700, 3}, 512}.append(head(frameWant)))
	f.Add(appendChunk(head(frameChunk), want{snapshotID{700, 3}, 0}, []byte("part")))
	f.Add(want{snapshotID{700, 3}, 0}.append(head(frameDone)))
	f.Add(head(frameGone))
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := parseFrame(b)
		if err != nil {
			return
		}
		switch fr.kind {
		case frameMessages:
			msgs, err := parseMessages(fr)
			if err == nil && len(b) == frameHead != (len(msgs) == 0) {
				t.Fatalf("%d messages of %d bytes", len(msgs), len(b))
			}
		case frameOffer:
			if o, err := parseOffer(fr.body); err == nil && string(o.append(nil)) != string(fr.body) {
				t.Fatalf("an offer does not survive: %+v", o)
			}
		case frameChunk:
			if _, part, err := parseChunk(fr.body); err == nil && len(part) > chunkBytes {
				t.Fatalf("a part of %d bytes", len(part))
			}
		}
	})
}

func FuzzDecodeID(f *testing.F) {
	f.Add(encodeID(dirA))
	f.Add([]byte("AAAA 00000000\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		id, err := decodeID(text)
		if err == nil && string(encodeID(id)) != string(text) {
			t.Fatalf("%q was read as %s", text, id)
		}
	})
}
