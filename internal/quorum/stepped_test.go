package quorum

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"ottla/internal/log"
	"ottla/internal/metadata"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// TestSteppedMembersMakeAQuorum: one founds it, another is taken in and gets a vote,
// commands are answered in their order with the offset they rest on, and the
// leadership is handed on; all by steps.
func TestSteppedMembersMakeAQuorum(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	all := map[int32]*Stepped{}
	type post struct {
		from, to int32
		frame    []byte
	}
	var posts []post
	images := map[int32]int64{}
	open := func(id int32) {
		dir, err := log.OpenDir(log.DirOptions{FS: vfs.NewMem(0), Path: rigPath, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		s, err := OpenStepped(Options{
			NodeID: id, DirectoryID: uuid.UUID{byte(id), 1}, ClusterID: "C", Dir: dir, Machine: &catalogue{names: map[string]bool{}},
			Now: func() time.Time { return now }, Joining: id > 1, SnapshotBytes: 200,
			Send:    func(to int32, frame []byte) { posts = append(posts, post{id, to, frame}) },
			OnImage: func(img *metadata.Image, _ *metadata.Delta) { images[id] = img.Offset },
		}, func(write func() error, then func(error)) { then(write()) })
		if err != nil {
			t.Fatal(err)
		}
		all[id] = s
		if err := s.Start(now); err != nil {
			t.Fatal(err)
		}
	}
	run := func(ticks int) {
		for range ticks {
			now = now.Add(tickInterval)
			for id := int32(1); id <= 2; id++ {
				if all[id].Ticking() {
					all[id].Tick(now)
				}
				for len(posts) > 0 {
					p := posts[0]
					posts = posts[1:]
					all[p.to].Receive(now, p.from, p.frame)
				}
			}
		}
	}
	open(1)
	open(2)
	var said []string
	tell := func(what string) Outcome {
		return func(reply any, offset int64, err error) {
			said = append(said, fmt.Sprintf("%s: %v %v %v", what, reply, offset >= 0, err))
		}
	}
	all[1].Turn(now, []any{create{1}, create{2}, count{}}, func(i int) Outcome { return tell(fmt.Sprint(i)) })
	all[1].Change(now, MembershipChange{AddLearner, Voter{ID: 2, DirectoryID: all[2].DirectoryID()}}, func() bool { return false }, tell("join"))
	run(40)
	if want := "[0: topic-00001 true <nil> 1: topic-00002 true <nil> 2: 2 true <nil> join: <nil> true <nil>]"; fmt.Sprint(said) != want {
		t.Errorf("got  %q\nwant %s", said, want)
	}
	if s := all[1].Status(); len(s.Voters) != 2 || !s.Serves || images[2] < all[1].Image().Offset || all[2].Image().TopicCount() != 2 {
		t.Errorf("%+v, the other shows offset %d of %d", s, images[2], all[1].Image().Offset)
	}
	all[2].Turn(now, []any{count{}}, func(int) Outcome {
		return func(_ any, _ int64, err error) {
			if lead := (*NotLeading)(nil); !errors.As(err, &lead) || lead.Leader != 1 {
				t.Errorf("a member that does not lead answers %v", err)
			}
		}
	})
	if !all[1].Resign(now) || all[2].Resign(now) {
		t.Error("who leads and who does not cannot tell")
	}
	run(20)
	if !all[2].Status().Serves || all[1].Removed(2, all[2].DirectoryID()) {
		t.Errorf("nobody took over: %+v", all[2].Status())
	}
	for id := int32(1); id <= 2; id++ {
		if err := all[id].Err(); err != nil {
			t.Errorf("member %d: %v", id, err)
		}
		if err := all[id].Close(); err != nil {
			t.Errorf("close member %d: %v", id, err)
		}
	}
}
