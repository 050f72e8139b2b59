package server

import (
	"context"
	"strings"
	"time"

	"ottla/internal/controller"
	"ottla/internal/group/kind"
	"ottla/internal/group/schema"
	"ottla/internal/group/streams"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

// streamsKind makes the streams groups of a group coordinator.
func (s *Server) streamsKind() func(kind.Host) kind.Kind {
	return streams.New(streams.Settings{
		Image:   s.image,
		Of:      s.streamsOwn,
		Pace:    s.pace.interval,
		Count:   s.pace.count,
		Create:  s.createStreamsTopics,
		MaxSize: int(s.view.Int(nil, "group.streams.max.size")),
	})
}

// streamsOwn are a streams group's settings: what it or the node was told, else
// what adapts.
func (s *Server) streamsOwn(id string) streams.Own {
	img := s.image()
	o := streams.Own{
		Assignment: -1,
		Standbys:   int(s.view.GroupInt(img, id, "streams.num.standby.replicas")),
		Tags:       splitList(s.view.GroupString(img, id, "streams.rack.aware.assignment.tags")),
	}
	o.Session, _ = s.groupTime(img, id, "streams.session.timeout.ms")
	o.Delay, _ = s.groupTime(img, id, "streams.initial.rebalance.delay.ms")
	if d, set := s.groupTime(img, id, "streams.heartbeat.interval.ms"); set {
		o.Heartbeat = d
	}
	if d, set := s.groupTime(img, id, "streams.assignment.interval.ms"); set {
		o.Assignment = d
	}
	return o
}

// makeTopicsWithin bounds how long internal topics may take to be made.
const makeTopicsWithin = 30 * time.Second

// createStreamsTopics makes internal topics of an application.
func (s *Server) createStreamsTopics(topics []schema.StreamsTopic) []string {
	ctx, cancel := context.WithTimeout(s.ctx, makeTopicsWithin)
	defer cancel()
	reply, err := s.do(ctx, s.streamsTopics(topics, s.image()))
	made, _ := reply.([]controller.CreatedTopic)
	out := make([]string, len(topics))
	for i := range out {
		switch {
		case err != nil:
			out[i] = wire.MessageOf(err)
		case len(made) != len(topics):
			out[i] = "The controller gave no answer."
		case made[i].Code != wire.None && made[i].Code != wire.TopicAlreadyExists:
			out[i] = made[i].Message
			if out[i] == "" {
				out[i] = made[i].Code.Text()
			}
		}
	}
	return out
}

// streamsTopics is the command that makes them: factors that nobody says are
// the cluster's.
func (s *Server) streamsTopics(topics []schema.StreamsTopic, img *metadata.Image) controller.CreateTopics {
	cmd := controller.WithDefaults(s.view, img)
	for i := range topics {
		t := controller.NewTopic{Name: topics[i].Name, Partitions: topics[i].Partitions, Replicas: topics[i].Replicas}
		if t.Replicas <= 0 {
			t.Replicas = -1
		}
		for _, p := range topics[i].Configs {
			value := p.Value
			t.Configs = append(t.Configs, controller.ConfigEntry{Name: p.Key, Value: &value})
		}
		cmd.Topics = append(cmd.Topics, t)
	}
	return cmd
}

// splitList gives the names in a list, without blanks.
func splitList(text string) []string {
	var out []string
	for name := range strings.SplitSeq(text, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}
