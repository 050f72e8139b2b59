package quorum

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path"

	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// stateName is KRaft's name for the file that holds term and vote.
const stateName = "quorum-state"

// maxStateBytes bounds what is read of it; it has some three hundred.
const maxStateBytes = 64 << 10

// hardState is what Raft must not forget: the term, whom it voted for in it,
// and (as far as known; it may lag) how far the log is committed.
type hardState struct {
	term, vote, commit uint64
}

// stateFile is quorum-state: KRaft's fields (KIP-595, KIP-853) and ours.
type stateFile struct {
	LeaderID         int32  `json:"leaderId"`
	LeaderEpoch      int32  `json:"leaderEpoch"`
	VotedID          int32  `json:"votedId"`
	VotedDirectoryID string `json:"votedDirectoryId"`
	DataVersion      int    `json:"data_version"`
	RaftID           uint64 `json:"ottla_raft_id"` // of this node and directory
	RaftVote         uint64 `json:"ottla_raft_vote"`
	RaftCommit       uint64 `json:"ottla_raft_commit"`
	Checksum         string `json:"ottla_checksum"` // CRC-32C of all above
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sum is the checksum of everything but the checksum.
func (s stateFile) sum() string {
	s.Checksum = ""
	text, err := json.Marshal(s)
	if err != nil {
		panic("quorum: quorum-state has a field that JSON cannot hold: " + err.Error())
	}
	return fmt.Sprintf("%08x", crc32.Checksum(text, castagnoli))
}

// encodeState is the text of quorum-state.
func encodeState(raftID uint64, h hardState, leader int32, voters *voterSet) []byte {
	s := stateFile{LeaderID: leader, LeaderEpoch: int32(h.term), VotedID: -1, DataVersion: 1,
		VotedDirectoryID: uuid.UUID{}.String(), RaftID: raftID, RaftVote: h.vote, RaftCommit: h.commit}
	if v, ok := voters.byID[h.vote]; ok {
		s.VotedID, s.VotedDirectoryID = v.ID, v.DirectoryID.String()
	}
	s.Checksum = s.sum()
	text, err := json.Marshal(s)
	if err != nil {
		panic("quorum: quorum-state has a field that JSON cannot hold: " + err.Error())
	}
	return text
}

// decodeState reads it back.
func decodeState(text []byte) (raftID uint64, h hardState, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var s stateFile
	if err := d.Decode(&s); err != nil {
		return 0, h, fmt.Errorf("it is not the JSON that Ottla writes: %w", err)
	}
	if s.DataVersion != 1 {
		return 0, h, fmt.Errorf("its data_version is %d, want 1", s.DataVersion)
	}
	if want := s.sum(); s.Checksum != want {
		return 0, h, fmt.Errorf("its checksum is %q, its content has %s", s.Checksum, want)
	}
	if s.LeaderEpoch < 0 {
		return 0, h, fmt.Errorf("its epoch is %d", s.LeaderEpoch)
	}
	return s.RaftID, hardState{uint64(s.LeaderEpoch), s.RaftVote, s.RaftCommit}, nil
}

// loadState reads quorum-state; found is false when there is none.
func loadState(f vfs.FS, dir string) (raftID uint64, h hardState, found bool, err error) {
	text, err := readWhole(f, path.Join(dir, stateName), maxStateBytes)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, h, false, nil
	}
	if err != nil {
		return 0, h, true, fmt.Errorf("read %s: %w", path.Join(dir, stateName), err)
	}
	raftID, h, err = decodeState(text)
	return raftID, h, true, err
}

// readWhole reads a file of at most limit bytes.
func readWhole(f vfs.FS, name string, limit int64) ([]byte, error) {
	file, err := f.OpenFile(name, os.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	size, err := file.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("it has %d bytes, more than the %d that such a file may have", size, limit)
	}
	b := make([]byte, size)
	if n, err := file.ReadAt(b, 0); err != nil && !(errors.Is(err, io.EOF) && n == len(b)) {
		return nil, err
	}
	return b, nil
}

// saveState makes term and vote durable.
func saveState(f vfs.FS, dir string, text []byte) error {
	name := path.Join(dir, stateName)
	err := vfs.Replace(f, name, name+".tmp", func(file vfs.File) error {
		_, err := file.WriteAt(text, 0)
		return err
	})
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return nil
}
