package realfault

import (
	"context"
	"errors"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Quorum asks for the state of the metadata quorum: a client as a whole, or one
// node of it, by its Request.
func Quorum(ctx context.Context, ask func(context.Context, kmsg.Request) (kmsg.Response, error)) (*kmsg.DescribeQuorumResponseTopicPartition, error) {
	req := kmsg.NewPtrDescribeQuorumRequest()
	req.Topics = []kmsg.DescribeQuorumRequestTopic{{Topic: "__cluster_metadata", Partitions: []kmsg.DescribeQuorumRequestTopicPartition{{}}}}
	got, err := ask(ctx, req)
	resp, ok := got.(*kmsg.DescribeQuorumResponse)
	if err == nil && ok {
		err = kerr.ErrorForCode(resp.ErrorCode)
	}
	if err != nil {
		return nil, fmt.Errorf("the quorum cannot be described: %w", err)
	}
	if !ok || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return nil, errors.New("the quorum is described by nothing")
	}
	return &resp.Topics[0].Partitions[0], nil
}
