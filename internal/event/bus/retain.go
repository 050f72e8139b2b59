package bus

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kadm"
)

// retain has a bus's topic keep events as long as the bus and its archives want it, until
// nobody changed that meanwhile: of those who change it at the same moment the last one to
// come sees what all have written.
func (s *Service) retain(ctx context.Context, b Bus) error {
	keep, err := s.keepOf(ctx, b)
	if err != nil {
		return err
	}
	for range tries {
		if err := s.setRetention(ctx, b.Topic, keep, b.Adopted); err != nil {
			return err
		}
		now, err := s.current(ctx, b.Ref)
		if errors.Is(err, ErrNotFound) || err == nil && now.ID != b.ID {
			return nil // it has gone, and its archives with it
		}
		if err != nil {
			return err
		}
		was := keep
		if keep, err = s.keepOf(ctx, now); err != nil || keep == was {
			return err
		}
	}
	return fmt.Errorf("how long %s keeps events: %w", b.Full(), ErrConflict)
}

// keepOf is how long a bus's topic is to keep events, in ms, as far as this node's mirror
// has come. An adopted topic keeps them at least as long as it did.
func (s *Service) keepOf(ctx context.Context, b Bus) (int64, error) {
	archives, err := s.archivesOf(ctx, b.Full())
	if err != nil {
		return 0, err
	}
	keep := b.RetentionMs
	if keep == 0 {
		if keep, err = s.retention(ctx, b.Topic); err != nil {
			return 0, err
		}
	}
	for _, a := range archives {
		switch {
		case a.ending || a.Pattern != "" || keep == -1:
		case a.RetentionMs == 0:
			keep = -1
		default:
			keep = max(keep, a.RetentionMs)
		}
	}
	return keep, nil
}

// retention is how long a topic keeps events, in ms.
func (s *Service) retention(ctx context.Context, topic string) (int64, error) {
	c, err := s.kafka()
	if err != nil {
		return 0, err
	}
	all, err := kadm.NewClient(c).DescribeTopicConfigs(ctx, topic)
	if err == nil && len(all) == 1 {
		err = all[0].Err
	}
	if err != nil {
		return 0, unavailable("read how long "+topic+" keeps events", err)
	}
	for _, r := range all {
		for _, x := range r.Configs {
			if x.Key == "retention.ms" && x.Value != nil {
				return strconv.ParseInt(*x.Value, 10, 64)
			}
		}
	}
	return DefaultRetentionMs, nil
}
