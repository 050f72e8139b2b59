package rig

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Metadata asks a client, or one node by its kgo.Broker, for the nodes and for
// topics, all when none is named. It asks anew, where kadm (Metadata, ListTopics)
// gives what its client heard up to five seconds ago, and BrokerMetadata what it
// heard whenever: after a stop, a kill, a restart or an election that is an old
// story.
func Metadata(ctx context.Context, ask kmsg.Requestor, topics ...string) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		row := kmsg.NewMetadataRequestTopic()
		row.Topic = &name
		req.Topics = append(req.Topics, row)
	}
	resp, err := req.RequestWith(ctx, ask)
	if err != nil {
		return nil, fmt.Errorf("ask for metadata: %w", err)
	}
	return resp, nil
}
