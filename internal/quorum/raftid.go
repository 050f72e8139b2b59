package quorum

import (
	"crypto/sha256"
	"encoding/binary"

	"go.etcd.io/raft/v3"

	"ottla/internal/uuid"
)

// raftID is the id under which a node and its directory take part in the
// quorum. A wiped disk has another directory id and so comes back as another
// member, which cannot claim votes or entries of the one that was lost.
func raftID(node int32, directory uuid.UUID) uint64 {
	var in [20]byte
	binary.BigEndian.PutUint32(in[:], uint32(node))
	copy(in[4:], directory[:])
	sum := sha256.Sum256(in[:])
	id := binary.BigEndian.Uint64(sum[:])
	if id == raft.None || raft.IsLocalMsgTarget(id) {
		// Ids that the library keeps for itself.
		id = binary.BigEndian.Uint64(sum[8:])>>1 | 1
	}
	return id
}
