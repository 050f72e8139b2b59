package quorum

import (
	"encoding/json"
	"testing"

	"ottla/internal/vfs"
)

func TestQuorumStateHasKRaftsFields(t *testing.T) {
	text := encodeState(idA, hardState{term: 5, vote: idA, commit: 17}, 1, newVoterSet(voterA))
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]any{"leaderId": 1.0, "leaderEpoch": 5.0, "votedId": 1.0, "votedDirectoryId": dirA.String(), "data_version": 1.0} {
		if m[k] != want {
			t.Errorf("%s is %v, want %v", k, m[k], want)
		}
	}
	id, h, err := decodeState(text)
	if err != nil || id != idA || h != (hardState{5, idA, 17}) {
		t.Errorf("comes back as %x %+v, %v", id, h, err)
	}
}

func TestEveryFlippedBitOfQuorumStateIsFound(t *testing.T) {
	text := encodeState(idA, hardState{term: 5, vote: idA, commit: 17}, 1, newVoterSet(voterA))
	id0, h0, _ := decodeState(text)
	for i := range text {
		for bit := range 8 {
			bad := append([]byte(nil), text...)
			bad[i] ^= 1 << bit
			// JSON names are matched without regard to case; such a flip changes nothing.
			if id, h, err := decodeState(bad); err == nil && (id != id0 || h != h0) {
				t.Fatalf("byte %d bit %d flipped went unseen: %x %+v", i, bit, id, h)
			}
		}
	}
}

func FuzzDecodeState(f *testing.F) {
	f.Add(encodeState(idA, hardState{term: 5, vote: idA, commit: 17}, 1, newVoterSet(voterA)))
	f.Add([]byte(`{"data_version":1}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if _, h, err := decodeState(text); err == nil && h.term > 1<<31 {
			t.Fatalf("a term of %d", h.term)
		}
	})
}

func TestStateIsReplacedWhole(t *testing.T) {
	f := vfs.NewMem(0)
	if err := f.MkdirAll("/q", 0o755); err != nil {
		t.Fatal(err)
	}
	if _, _, found, err := loadState(f, "/q"); found || err != nil {
		t.Fatalf("in an empty directory: found %v, %v", found, err)
	}
	for term := range uint64(3) {
		want := hardState{term: term, vote: idA, commit: term}
		if err := saveState(f, "/q", encodeState(idA, want, -1, newVoterSet(voterA))); err != nil {
			t.Fatal(err)
		}
		if id, got, found, err := loadState(f, "/q"); err != nil || !found || got != want || id != idA {
			t.Fatalf("got %x %+v found %v, %v, want %+v", id, got, found, err, want)
		}
	}
}
