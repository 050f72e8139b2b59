package cluster

import (
	"context"
	"time"

	"ottla/internal/controller"
	"ottla/internal/kafka/api"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// createTimeout bounds what a client waits for a topic that its Metadata
// request creates; Kafka's clients give a request 30 s.
const createTimeout = 15 * time.Second

// toCreate are the topics that the request may create: named, not there,
// wanted by client and broker.
func (a *metadataAnswer) toCreate(names []string) []string {
	if a.req.Version >= 4 && !a.req.AllowAutoTopicCreation {
		return nil
	}
	var out []string
	for _, name := range names {
		if a.img.TopicByName(name) == nil && controller.CheckTopicName(name) == nil && !metadata.IsInternal(name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 || !a.h.d.View.Bool(a.img, "auto.create.topics.enable") {
		return nil
	}
	return out
}

// autoCreate makes topics with the broker's defaults and waits until they
// serve. What became of those that could not be made is noted in refused; an
// error is for the whole request.
func (h *handlers) autoCreate(ctx context.Context, names []string, refused map[string]wire.Code) error {
	img := h.d.Cluster.Image()
	cmd := controller.WithDefaults(h.d.View, img)
	for _, name := range names {
		cmd.Topics = append(cmd.Topics, controller.NewTopic{Name: name, Partitions: -1, Replicas: -1})
	}
	made, err := api.Do[[]controller.CreatedTopic](ctx, h.d.Cluster, createTimeout, cmd)
	switch code := wire.CodeOf(err); code {
	case wire.None:
	case wire.UnknownServerError:
		return err
	default:
		// The client asks again for what it does not find: tell it why not.
		if code == wire.RequestTimedOut {
			code = wire.LeaderNotAvailable
		}
		for _, name := range names {
			refused[name] = code
		}
	}
	for i := range made {
		if made[i].Code != wire.TopicAlreadyExists {
			refused[made[i].Name] = made[i].Code
		}
	}
	return nil
}
