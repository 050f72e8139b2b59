package timers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla/internal/coordinator"
	"ottla/internal/metadata"
	"ottla/internal/timer"
	"ottla/internal/timer/schema"
	"ottla/internal/uuid"
	"ottla/internal/wire"
	"ottla/internal/wire/own"
)

// scene is node 1, with the partitions of the timers' topic led as leaders say.
type scene struct {
	mu      sync.Mutex
	image   *metadata.Image
	here    func(partition int32, cmd any) (any, error)
	there   func(node int32, req *own.TimersRequest) (*own.TimersResponse, error)
	asked   []int32 // nodes
	pauses  int
	wall    time.Time
	onPause func(s *scene)
}

func (s *scene) Image() *metadata.Image {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.image
}

func (s *scene) Do(context.Context, any) (any, error) { return nil, wire.NotController }

func (s *scene) PartitionFor(key string) (int32, error) {
	return int32(key[0]-'a') % 3, nil
}

func (s *scene) GoAt(_ context.Context, partition int32, cmd any, done func(any, error)) {
	done(s.here(partition, cmd))
}

func (s *scene) Each(context.Context, any) []coordinator.Answer { return nil }
func (s *scene) SettleAll(context.Context) error                { return nil }

func (s *scene) Start(_ context.Context, node int32, req kmsg.Request, done func(kmsg.Response, error)) {
	s.mu.Lock()
	s.asked = append(s.asked, node)
	s.mu.Unlock()
	resp, err := s.there(node, req.(*own.TimersRequest))
	if err != nil {
		done(nil, err)
		return
	}
	done(resp, nil)
}

// lead makes an image in which the partitions have these leaders.
func (s *scene) lead(t *testing.T, leaders ...int32) {
	t.Helper()
	id := uuid.UUID{7}
	records := []metadata.Record{&metadata.TopicRecord{Name: Topic, ID: id}}
	for i, leader := range leaders {
		records = append(records, &metadata.PartitionRecord{
			Partition: int32(i), TopicID: id, Replicas: []int32{1, 2, 3}, ISR: []int32{1, 2, 3}, Leader: leader, Directories: make([]uuid.UUID, 3),
		})
	}
	img, _, err := metadata.Empty().With(int64(len(records)), 1, records...)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.image = img
}

func (s *scene) family() *Family {
	return New(Deps{
		NodeID: 1, Cluster: s, Timers: s, Peers: s, Prepare: func(context.Context, string, string) error { return nil },
		Wall: func() time.Time { return s.wall },
		Pause: func(context.Context, time.Duration) {
			s.pauses++
			if s.onPause != nil {
				s.onPause(s)
			}
		},
	})
}

// stored answers a Set, here and there, and notes the keys.
func stored(keys *sync.Map) func(cmd any) []error {
	return func(cmd any) []error {
		set := cmd.(timer.Set)
		errs := make([]error, len(set.Timers))
		for i := range set.Timers {
			keys.Store(set.Timers[i].Key, set.Timers[i])
			if set.Timers[i].Topic == "" {
				errs[i] = wire.Errorf(wire.InvalidRequest, "no topic")
			}
		}
		return errs
	}
}

func TestTimersGoToWhoeverCoordinatesThem(t *testing.T) {
	var keys sync.Map
	store := stored(&keys)
	s := &scene{
		here: func(_ int32, cmd any) (any, error) { return store(cmd), nil },
	}
	far := New(Deps{Timers: s, NodeID: 2, Cluster: s, Wall: time.Now})
	s.there = func(_ int32, req *own.TimersRequest) (*own.TimersResponse, error) {
		again := &own.TimersRequest{}
		if err := again.ReadFrom(req.AppendTo(nil)); err != nil {
			return nil, err
		}
		return far.serve(context.Background(), again), nil
	}
	s.lead(t, 1, 2, 3)
	var timers []timer.Timer
	for i := range 9 {
		timers = append(timers, timer.Timer{
			Key: fmt.Sprintf("%c%d", 'a'+i%3, i), Topic: "orders", DueMs: int64(i), Partition: -1,
			RecordKey: []byte{}, Value: nil, Headers: []timer.Header{{Key: "h"}},
		})
	}
	timers[4].Topic = ""
	for i, err := range s.family().Set(t.Context(), timers) {
		if i == 4 != errors.Is(err, wire.InvalidRequest) || i != 4 && err != nil {
			t.Errorf("timer %d: %v", i, err)
		}
	}
	for i := range timers {
		got, ok := keys.Load(timers[i].Key)
		x, _ := got.(timer.Timer)
		if !ok || x.DueMs != int64(i) || x.RecordKey == nil || x.Value != nil || len(x.Headers) != 1 || x.Headers[0].Value != nil {
			t.Errorf("timer %d came as %+v", i, x)
		}
	}
	if len(s.asked) != 2 {
		t.Errorf("nodes %v were asked", s.asked)
	}
}

func TestLargeSetsGoInPieces(t *testing.T) {
	var count atomic.Int32
	s := &scene{here: func(_ int32, cmd any) (any, error) {
		count.Add(1)
		return make([]error, len(cmd.(timer.Set).Timers)), nil
	}}
	s.lead(t, 1)
	timers := make([]timer.Timer, 2*mostItems+1)
	for i := range timers {
		timers[i] = timer.Timer{Key: "a", Topic: "t"}
	}
	timers[5].Value = make([]byte, 2*mostBytes)
	for i, err := range s.family().Set(t.Context(), timers) {
		if err != nil {
			t.Fatalf("timer %d: %v", i, err)
		}
	}
	if commands := count.Load(); commands < 4 || commands > 5 {
		t.Errorf("%d commands", commands)
	}
}

// What may have been done is not done again unless that does no harm.
func TestOnlyWhatDoesNoHarmIsAskedAgain(t *testing.T) {
	lost := &wire.Error{Code: wire.NotCoordinator, Message: "lost", Cause: errors.New("why")}
	idle := wire.Errorf(wire.NotCoordinator, "not led here")
	for _, c := range []struct {
		what  string
		dueMs int64
		err   error
		again bool
	}{
		{"not led here, due", 0, idle, true},
		{"loading, due", 0, wire.CoordinatorLoadInProgress, true},
		{"lost, due", 0, lost, false},
		{"lost, about to be due", 100_500, lost, false},
		{"lost, due in a while", 200_000, lost, true},
		{"refused", 200_000, wire.MessageTooLarge, false},
	} {
		tries := 0
		s := &scene{wall: time.UnixMilli(100_000)}
		s.here = func(int32, any) (any, error) {
			if tries++; tries == 1 {
				return nil, c.err
			}
			return []error{nil}, nil
		}
		s.lead(t, 1)
		errs := s.family().Set(t.Context(), []timer.Timer{{Key: "a", Topic: "t", DueMs: c.dueMs}})
		if again := tries == 2; again != c.again || again != (errs[0] == nil) {
			t.Errorf("%s: %d tries, %v", c.what, tries, errs[0])
		}
	}
}

func TestACoordinatorThatMovesIsFollowed(t *testing.T) {
	s := &scene{}
	s.there = func(node int32, req *own.TimersRequest) (*own.TimersResponse, error) {
		if node == 2 {
			return nil, errors.New("cut")
		}
		resp := req.ResponseKind().(*own.TimersResponse)
		switch req.Op {
		case own.TimersGet:
			resp.Value = schema.AppendTimer(nil, &schema.Timer{DueMs: 9, Topic: "t"})
		case own.TimersLine:
			resp.Offset = 42
		case own.TimersCancel:
			resp.Results = []own.TimerResult{{ErrorCode: int16(wire.ResourceNotFound), ErrorMessage: "gone"}}
		}
		return resp, nil
	}
	s.lead(t, 2)
	s.onPause = func(s *scene) { s.lead(t, []int32{-1, 3}[s.pauses-1]) }
	f := s.family()
	if x, ok, err := f.Get(t.Context(), "a"); err != nil || !ok || x.DueMs != 9 || x.Key != "a" {
		t.Errorf("got %+v, %t, %v", x, ok, err)
	}
	if len(s.asked) != 2 || s.asked[0] != 2 || s.asked[1] != 3 {
		t.Errorf("nodes %v were asked", s.asked)
	}
	if at, err := f.LineAt(t.Context(), "a"); at != 42 || err != nil {
		t.Errorf("the line is at %d, %v", at, err)
	}
	if err := f.TakeUp(t.Context(), timer.TakeUp{Line: "a", From: 1, To: 2}); err != nil {
		t.Error(err)
	}
	if errs := f.Cancel(t.Context(), []string{"a"}); !errors.Is(errs[0], timer.ErrGone) {
		t.Errorf("cancel: %v", errs)
	}
}

func TestAQuestionThatIsNoneIsRefused(t *testing.T) {
	s := &scene{here: func(int32, any) (any, error) { return nil, nil }}
	s.lead(t, 1)
	f := s.family()
	for _, req := range []*own.TimersRequest{
		{Op: 99}, {Op: own.TimersGet}, {Op: own.TimersSet, Items: []own.TimerItem{{Key: "a", Value: []byte("x")}}},
	} {
		if resp := f.serve(t.Context(), req); wire.Code(resp.ErrorCode) != wire.InvalidRequest {
			t.Errorf("%+v: %+v", req, resp)
		}
	}
}
