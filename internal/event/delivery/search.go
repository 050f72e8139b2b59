package delivery

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ottla/internal/event/follow"
	"ottla/internal/record"
)

// Query says which attempts are looked for. What is empty is not asked for.
type Query struct {
	Target   string // what its key begins with: a rule's key, or a target's
	ID       string // of the target, within its rule
	Event    string
	Delivery string
	Failed   bool // those that failed alone
	Status   int
	SinceMs  int64
	UntilMs  int64
	Most     int // the newest; 0 is 100
}

const (
	defaultFound = 100
	// MostFound bounds what one search gives.
	MostFound = 1000
)

// Attempts are the newest calls that fit, the newest last, of all nodes.
func (s *Service) Attempts(ctx context.Context, q Query) ([]Attempt, error) {
	return Search(ctx, s.o.Client, q)
}

// Search is Attempts by any client: it reads AttemptsTopic from SinceMs on. Of one
// target it reads one partition.
func Search(ctx context.Context, client func(opts ...kgo.Opt) (*kgo.Client, error), q Query) ([]Attempt, error) {
	c, err := client()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", AttemptsTopic, err)
	}
	defer c.Close()
	admin := kadm.NewClient(c)
	topics, err := admin.ListTopicsWithInternal(ctx, AttemptsTopic)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", AttemptsTopic, err)
	}
	if t := topics[AttemptsTopic]; t.Err != nil || len(t.Partitions) == 0 {
		return nil, nil // nothing was delivered yet
	}
	starts, err := admin.ListOffsetsAfterMilli(ctx, q.SinceMs, AttemptsTopic)
	if err == nil {
		err = starts.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", AttemptsTopic, err)
	}
	most := min(q.Most, MostFound)
	if most <= 0 {
		most = defaultFound
	}
	only := int32(-1)
	if strings.Contains(q.Target, "#") && strings.Count(q.Target, "/") > 0 && exact(q.Target) {
		only = record.KeyHash([]byte(q.Target)) % int32(len(topics[AttemptsTopic].Partitions))
	}
	some, errs := make([][]Attempt, len(topics[AttemptsTopic].Partitions)), make([]error, len(topics[AttemptsTopic].Partitions))
	var searching sync.WaitGroup
	for p := range int32(len(some)) {
		if only >= 0 && p != only {
			continue
		}
		start, _ := starts.Lookup(AttemptsTopic, p)
		searching.Go(func() { some[p], errs[p] = searchOne(ctx, client, p, start.Offset, q, most) })
	}
	searching.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	found := slices.Concat(some...)
	slices.SortStableFunc(found, func(a, b Attempt) int { return cmp.Compare(a.AtMs, b.AtMs) })
	return found[max(0, len(found)-most):], nil
}

// exact tells a target's whole key: RULE-KEY#RULE-ID/TARGET-ID.
func exact(target string) bool {
	_, rest, _ := strings.Cut(target, "#")
	return strings.Contains(rest, "/")
}

// firstBlock is how many records are looked at first from the end of a partition on;
// each block before is four times as large.
const firstBlock = 512

// searchOne searches one partition from its end, as it is now, back to an offset, until
// there is enough: who asks for the newest waits for no more than those.
func searchOne(ctx context.Context, client func(opts ...kgo.Opt) (*kgo.Client, error), partition int32, from int64, q Query, most int) ([]Attempt, error) {
	log, err := follow.Open(follow.Options{Client: client, Topic: AttemptsTopic, Partition: partition, From: from, Wait: 100 * time.Millisecond})
	if err != nil {
		return nil, err
	}
	defer log.Close()
	end, err := log.End(ctx)
	if err != nil {
		return nil, err
	}
	var found []Attempt
	for size := int64(firstBlock); end > from && len(found) < most; size *= 4 {
		start := max(from, end-size)
		block, err := q.block(ctx, log, start, end, most)
		if err != nil {
			return nil, err
		}
		found, end = append(block, found...), start
	}
	return found[max(0, len(found)-most):], nil
}

// block are the newest attempts that fit between two offsets.
func (q *Query) block(ctx context.Context, log *follow.Partition, start, end int64, most int) ([]Attempt, error) {
	var found []Attempt
	for log.GoTo(start); log.At() < end; {
		got, err := log.Next(ctx)
		if err != nil {
			return nil, err
		}
		for _, rec := range got {
			var a Attempt
			if rec.Offset < end && json.Unmarshal(rec.Value, &a) == nil && q.fits(&a) {
				found = append(found, a)
			}
		}
		if len(found) > 2*most {
			found = slices.Clone(found[len(found)-most:])
		}
	}
	return found, nil
}

func (q *Query) fits(a *Attempt) bool {
	switch {
	case !strings.HasPrefix(a.Target, q.Target),
		q.ID != "" && !strings.HasSuffix(a.Target, "/"+q.ID),
		q.Event != "" && a.Event != q.Event,
		q.Delivery != "" && a.Delivery != q.Delivery,
		q.Failed && a.OK,
		q.Status != 0 && a.Status != q.Status,
		q.SinceMs > 0 && a.AtMs < q.SinceMs,
		q.UntilMs > 0 && a.AtMs > q.UntilMs:
		return false
	}
	return true
}
