package cli

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

func TestAClusterIsFormedWhenItsVotersHaveEverything(t *testing.T) {
	for _, c := range []struct {
		ends []int64
		want bool
	}{
		{[]int64{9}, false}, {[]int64{9, 9}, false}, {[]int64{9, 9, 7}, false}, {[]int64{9, 8, 12}, true},
	} {
		q := kmsg.DescribeQuorumResponseTopicPartition{HighWatermark: 8}
		for i, end := range c.ends {
			q.CurrentVoters = append(q.CurrentVoters, kmsg.DescribeQuorumResponseTopicPartitionReplicaState{ReplicaID: int32(i), LogEndOffset: end})
		}
		if got := votes(&q, 3); got != c.want {
			t.Errorf("voters that have %v of 8: formed %v, want %v", c.ends, got, c.want)
		}
	}
}
