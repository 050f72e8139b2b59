package quorum

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/wire"
)

func TestNodeShowsImagesBeforeItReplies(t *testing.T) {
	f := newMem(t)
	var mu sync.Mutex
	var created []int // topics that each call of OnImage created
	seen := map[string]bool{}
	watch := func(o *Options) {
		o.OnImage = func(img *metadata.Image, d *metadata.Delta) {
			mu.Lock()
			defer mu.Unlock()
			created = append(created, len(d.Created))
			for _, t := range d.Created {
				seen[t.Name] = true
			}
		}
	}
	n := node(t, f, watch)
	ctx := context.Background()
	for i := range 3 {
		reply, err := n.Do(ctx, create{i})
		if err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		if !seen[reply.(string)] {
			t.Errorf("%v was answered before OnImage showed it", reply)
		}
		mu.Unlock()
		if n.Image().TopicCount() != i+1 {
			t.Errorf("Image has %d topics after reply %d", n.Image().TopicCount(), i)
		}
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := n.Do(ctx, count{}); !errors.Is(err, wire.NotController) {
		t.Errorf("after Close: %v, want NOT_CONTROLLER", err)
	}
	if created[0] != 0 || len(created) != 4 {
		t.Errorf("OnImage told of %v created topics, want none at the start, then one a step", created)
	}
}

func TestFirstImageListsEverythingAsCreated(t *testing.T) {
	f := newMem(t)
	r := mustRig(t, f, 0)
	r.turn(create{1}, create{2})
	r.stop()
	var first *metadata.Delta
	n := node(t, f, func(o *Options) {
		o.OnImage = func(_ *metadata.Image, d *metadata.Delta) {
			if first == nil {
				first = d
			}
		}
	})
	defer n.Close()
	if first == nil || len(first.Created) != 2 {
		t.Errorf("the first delta is %+v, want both topics created", first)
	}
	if s := n.Status(); s.Leader != 1 || s.Voters[0].LastCaughtUpMs != 1_700_000_000_000 {
		t.Errorf("status %+v", s)
	}
}

// Many callers, one log: each gets its own answer, and no topic twice.
func TestConcurrentCommands(t *testing.T) {
	n := node(t, newMem(t), func(o *Options) { o.SnapshotBytes = 4000 })
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := 0
	for w := range 8 {
		wg.Go(func() {
			for i := range 40 {
				reply, err := n.Do(context.Background(), create{(i + w) % 50})
				switch {
				case err == nil:
					mu.Lock()
					made++
					mu.Unlock()
					if reply == nil {
						t.Error("success without a reply")
					}
				case !errors.Is(err, wire.TopicAlreadyExists):
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if made != n.Image().TopicCount() {
		t.Errorf("%d creations succeeded, the image has %d topics", made, n.Image().TopicCount())
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCloseAnswersEveryone(t *testing.T) {
	n := node(t, newMem(t), nil)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			_, err := n.Do(context.Background(), create{i})
			if err != nil && !errors.Is(err, wire.NotController) {
				t.Errorf("command %d: %v", i, err)
			}
		})
	}
	if err := n.Close(); err != nil {
		t.Error(err)
	}
	wg.Wait()
	if err := n.Close(); err != nil {
		t.Errorf("the second Close: %v", err)
	}
}

func TestCancelledCallerIsNotHeld(t *testing.T) {
	n := node(t, newMem(t), nil)
	defer n.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := n.Do(ctx, count{}); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNodeThatWasNeverStartedCloses(t *testing.T) {
	f := newMem(t)
	r := &rig{t: t, fs: f, machine: &catalogue{}, now: time.UnixMilli(1)}
	var err error
	if r.dir, err = log.OpenDir(log.DirOptions{FS: f, Path: rigPath}); err != nil {
		t.Fatal(err)
	}
	n, err := Open(*r.options(0))
	if err != nil {
		t.Fatal(err)
	}
	if n.Image() == nil || n.Status().Leader != -1 {
		t.Errorf("before Start: image %v, status %+v", n.Image(), n.Status())
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.Start(context.Background()); err == nil {
		t.Error("a closed node started")
	}
}

func TestNodeStartsOnce(t *testing.T) {
	n := node(t, newMem(t), nil)
	defer n.Close()
	if err := n.Start(context.Background()); err == nil {
		t.Error("a second Start succeeded")
	}
}
