package nodes

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestHowFarANodeIsBehindInTheMetadataLog(t *testing.T) {
	row := func(end, heard int64) *kmsg.DescribeQuorumResponseTopicPartitionReplicaState {
		return &kmsg.DescribeQuorumResponseTopicPartitionReplicaState{LogEndOffset: end, LastFetchTimestamp: heard}
	}
	for _, c := range []struct {
		name       string
		leader, it *kmsg.DescribeQuorumResponseTopicPartitionReplicaState
		want       int64
	}{
		{"current", row(100, 90_000), row(100, 89_000), 0},
		{"ahead of what the leader said first", row(100, 90_000), row(101, 90_000), 0},
		{"behind", row(100, 90_000), row(58, 10), 42},
		{"fetching a snapshot", row(100, 90_000), row(-1, 85_000), Nothing},
		{"away", row(100, 90_000), row(-1, 84_999), Unknown},
		{"never seen", row(100, 90_000), row(-1, -1), Unknown},
		{"no leader", row(-1, -1), row(58, -1), Unknown},
	} {
		if got := behindLeader(c.leader, c.it); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}
