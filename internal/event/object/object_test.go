package object_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"ottla"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
)

// patience bounds waiting for what must happen; it is no expectation of speed.
const patience = 3 * time.Minute

// stores are some on one broker, as nodes have them.
func stores(t *testing.T, n int) (context.Context, []*object.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	s, err := ottla.Start(ctx, ottla.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	client := func(opts ...kgo.Opt) (*kgo.Client, error) {
		return kgo.NewClient(append([]kgo.Opt{kgo.SeedBrokers(s.Addr()), kgo.MetadataMinAge(10 * time.Millisecond)}, opts...)...)
	}
	asks, err := client()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(asks.Close)
	admin := kadm.NewClient(asks)
	var mu sync.Mutex
	ids := 0
	var out []*object.Store
	for range n {
		st := object.New(object.Options{
			Client: client, Now: time.Now, Logger: slog.New(slog.DiscardHandler),
			NewID: func() string {
				mu.Lock()
				defer mu.Unlock()
				ids++
				return fmt.Sprint("id-", ids)
			},
			Exists: func() bool {
				req := kmsg.NewPtrMetadataRequest() // not what the client remembers
				topic := kmsg.NewMetadataRequestTopic()
				topic.Topic = kmsg.StringPtr(object.Topic)
				req.Topics = append(req.Topics, topic)
				resp, err := req.RequestWith(ctx, asks)
				return err == nil && len(resp.Topics) == 1 && resp.Topics[0].ErrorCode == 0
			},
			Create: func(ctx context.Context) error {
				compact := "compact"
				made, err := admin.CreateTopic(ctx, 1, 1, map[string]*string{"cleanup.policy": &compact}, object.Topic)
				if err == nil {
					err = made.Err
				}
				if errors.Is(err, kerr.TopicAlreadyExists) {
					return nil
				}
				return err
			},
		})
		t.Cleanup(st.Close)
		out = append(out, st)
	}
	return ctx, out
}

func spec(text string) json.RawMessage { return json.RawMessage(fmt.Sprintf("%q", text)) }

// A node that is not of its cluster yet has old metadata, or none.
func TestANodeThatDoesNotServeYetDoesNotSayThatThereIsNothing(t *testing.T) {
	serves := false
	s := object.New(object.Options{Serves: func() bool { return serves }, Exists: func() bool { return false }})
	defer s.Close()
	ctx, ref := context.Background(), name.Of(name.Queue, "orders")
	if _, err := s.Get(ctx, ref); err == nil || errors.Is(err, object.ErrNotFound) {
		t.Errorf("get: %v", err)
	}
	if all, _, err := s.List(ctx, ref, "", 10); err == nil {
		t.Errorf("list: %v", all)
	}
	serves = true
	if _, err := s.Get(ctx, ref); !errors.Is(err, object.ErrNotFound) {
		t.Errorf("get, once it serves: %v", err)
	}
}

// A node that is cut off may have what was there before: another node may have made it
// since. Who asks waits for a moment until the node is heard, and then asks another.
func TestANodeThatMayBeCutOffDoesNotSayThatThereIsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var trusted atomic.Bool
		s := object.New(object.Options{Trusted: trusted.Load, Exists: func() bool { return false }})
		defer s.Close()
		ctx, ref := context.Background(), name.Of(name.Queue, "orders")
		if _, err := s.Get(ctx, ref); err == nil || errors.Is(err, object.ErrNotFound) {
			t.Errorf("get: %v", err)
		}
		if all, _, err := s.List(ctx, ref, "", 10); err == nil {
			t.Errorf("list: %v", all)
		}
		time.AfterFunc(time.Second, func() { trusted.Store(true) })
		if _, err := s.Get(ctx, ref); !errors.Is(err, object.ErrNotFound) {
			t.Errorf("get, while it is heard again: %v", err)
		}
	})
}

func TestObjectsAreChangedAtTheVersionThatIsNamed(t *testing.T) {
	ctx, all := stores(t, 2)
	a, b := all[0], all[1]
	ref := name.Of(name.Queue, "orders")
	if _, err := a.Get(ctx, ref); !errors.Is(err, object.ErrNotFound) {
		t.Fatalf("before there is anything: %v", err)
	}
	first, err := a.Put(ctx, object.Object{Ref: ref, Spec: spec("one")})
	if err != nil || first.Version != 1 || first.ID == "" {
		t.Fatalf("%+v, %v", first, err)
	}
	if got, err := b.Get(ctx, ref); err != nil || string(got.Spec) != `"one"` || got.ID != first.ID {
		t.Fatalf("at the other node: %+v, %v", got, err)
	}
	if _, err := b.Put(ctx, object.Object{Ref: ref, Spec: spec("again")}); !errors.Is(err, object.ErrConflict) {
		t.Errorf("made twice: %v", err)
	}
	second, err := b.Put(ctx, object.Object{Ref: ref, Version: 1, Spec: spec("two")})
	if err != nil || second.Version != 2 || second.ID != first.ID || !second.Created.Equal(first.Created) {
		t.Fatalf("%+v, %v", second, err)
	}
	if _, err := a.Put(ctx, object.Object{Ref: ref, Version: 1, Spec: spec("late")}); !errors.Is(err, object.ErrConflict) {
		t.Errorf("an old version: %v", err)
	}
	if err := a.Delete(ctx, ref, 1); !errors.Is(err, object.ErrConflict) {
		t.Errorf("delete an old version: %v", err)
	}
	if err := a.Delete(ctx, ref, 2); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Get(ctx, ref); !errors.Is(err, object.ErrNotFound) {
		t.Errorf("deleted: %v", err)
	}
	if err := b.Delete(ctx, ref, 2); !errors.Is(err, object.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	third, err := b.Put(ctx, object.Object{Ref: ref, Spec: spec("three")})
	if err != nil || third.ID == first.ID || third.Version != 1 {
		t.Errorf("made anew: %+v, %v", third, err)
	}
	if _, err := a.Put(ctx, object.Object{Ref: name.Of(name.Queue, "no name"), Spec: spec("x")}); err == nil {
		t.Error("a name that cannot be is taken")
	}
}

func TestNoChangeIsLostBetweenManyWriters(t *testing.T) {
	ctx, all := stores(t, 3)
	ref := name.Of(name.System, "counter")
	if _, err := all[0].Put(ctx, object.Object{Ref: ref, Spec: json.RawMessage("0")}); err != nil {
		t.Fatal(err)
	}
	const each = 6
	var way sync.WaitGroup
	for _, s := range all {
		way.Go(func() {
			for range each {
				for {
					o, err := s.Get(ctx, ref)
					if err != nil {
						t.Error(err)
						return
					}
					var n int
					if err := json.Unmarshal(o.Spec, &n); err != nil {
						t.Error(err)
						return
					}
					_, err = s.Put(ctx, object.Object{Ref: ref, Version: o.Version, Spec: json.RawMessage(fmt.Sprint(n + 1))})
					if err == nil {
						break
					}
					if !errors.Is(err, object.ErrConflict) {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	way.Wait()
	for _, s := range all {
		_, _, err := s.List(ctx, name.Ref{Kind: name.System}, "", 1) // reads to the end
		if err != nil {
			t.Fatal(err)
		}
		if o, err := s.Get(ctx, ref); err != nil || string(o.Spec) != fmt.Sprint(3*each) || o.Version != 3*each+1 {
			t.Errorf("%s at version %d, %v; want %d", o.Spec, o.Version, err, 3*each)
		}
	}
}

func TestWatchersHearOfEverythingInOrder(t *testing.T) {
	ctx, all := stores(t, 2)
	a, b := all[0], all[1]
	put := func(s *object.Store, kind name.Kind, n string, version int64) {
		t.Helper()
		if _, err := s.Put(ctx, object.Object{Ref: name.Of(kind, n), Version: version, Spec: spec(n)}); err != nil {
			t.Fatal(err)
		}
	}
	put(a, name.Queue, "x", 0)
	put(a, name.Bus, "other", 0)
	if _, err := b.Get(ctx, name.Of(name.Queue, "x")); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var heard []string
	end := b.Watch(name.Ref{Kind: name.Queue}, func(n object.News) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, fmt.Sprint(n.Object.Ref.Name, n.Object.Version, n.Deleted))
	})
	put(a, name.Queue, "x", 1)
	put(a, name.Queue, "y", 0)
	if err := a.Delete(ctx, name.Of(name.Queue, "x"), 2); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.List(ctx, name.Ref{Kind: name.Queue}, "", 1); err != nil { // reads to the end
		t.Fatal(err)
	}
	end()
	mu.Lock()
	defer mu.Unlock()
	if want := []string{"x1 false", "x2 false", "y1 false", "x2 true"}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
}

// A request that is sent again because its answer was lost has deleted what it
// named, also when the name is used again, and also at another node.
func TestADeletionIsKnownByItsToken(t *testing.T) {
	ctx, all := stores(t, 2)
	a, b := all[0], all[1]
	ref, other := name.Of(name.Queue, "orders"), name.Of(name.Queue, "others")
	if by, err := a.DeletedBy(ctx, ref, "once"); by || err != nil {
		t.Fatalf("before there is anything: %v, %v", by, err)
	}
	if _, err := a.Put(ctx, object.Object{Ref: ref, Spec: spec("one")}); err != nil {
		t.Fatal(err)
	}
	if err := a.DeleteOnce(ctx, ref, 1, "once"); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Put(ctx, object.Object{Ref: ref, Spec: spec("two")}); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*object.Store{a, b} {
		for _, c := range []struct {
			ref   name.Ref
			token string
			want  bool
		}{{ref, "once", true}, {ref, "twice", false}, {other, "once", false}, {ref, "", false}} {
			if by, err := s.DeletedBy(ctx, c.ref, c.token); by != c.want || err != nil {
				t.Errorf("%s by %q: %v, %v", c.ref, c.token, by, err)
			}
		}
	}
	if got, err := b.Get(ctx, ref); err != nil || string(got.Spec) != `"two"` {
		t.Errorf("what has the name now: %+v, %v", got, err)
	}
	if err := b.Delete(ctx, ref, 1); err != nil {
		t.Fatal(err)
	}
	if by, err := a.DeletedBy(ctx, ref, ""); by || err != nil {
		t.Errorf("without a token: %v, %v", by, err)
	}
}

// A log may have an end and nothing to read: its records were deleted, or
// compaction left empty batches.
func TestAMirrorReachesAnEndThatHoldsNothing(t *testing.T) {
	ctx, all := stores(t, 2)
	ref := name.Of(name.Queue, "orders")
	if _, err := all[0].Put(ctx, object.Object{Ref: ref, Spec: spec("one")}); err != nil {
		t.Fatal(err)
	}
	admin := kadm.NewClient(all[0].Writer())
	both := "compact,delete" // else nobody deletes records
	if _, err := admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "cleanup.policy", Value: &both}}, object.Topic); err != nil {
		t.Fatal(err)
	}
	ends, err := admin.ListEndOffsets(ctx, object.Topic)
	if err != nil {
		t.Fatal(err)
	}
	gone, err := admin.DeleteRecords(ctx, ends.Offsets())
	if err := errors.Join(err, gone.Error()); err != nil {
		t.Fatal(err)
	}
	if o, err := all[1].Get(ctx, ref); !errors.Is(err, object.ErrNotFound) {
		t.Errorf("what was deleted is %+v, %v", o, err)
	}
}

// A mirror that is still reading what there was does not take it for what there is.
func TestAMirrorThatReadsTheBeginningSaysNothing(t *testing.T) {
	ctx, all := stores(t, 2)
	ref := name.Of(name.Queue, "orders")
	o, err := all[0].Put(ctx, object.Object{Ref: ref, Spec: spec("one")})
	if err != nil {
		t.Fatal(err)
	}
	o.Spec = spec("two")
	if _, err = all[0].Put(ctx, o); err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(ctx)
	cancel()
	early := make(chan error, 1)
	defer all[1].Watch(name.Ref{Kind: name.Queue}, func(n object.News) {
		if n.Object.Version == 1 {
			_, err := all[1].Get(gone, ref) // it cannot wait for the end
			early <- err
		}
	})()
	got, err := all[1].Get(ctx, ref)
	if err != nil || got.Version != 2 {
		t.Errorf("it is at version %d, %v", got.Version, err)
	}
	if err := <-early; !errors.Is(err, context.Canceled) {
		t.Errorf("before the end was read: %v", err)
	}
}
