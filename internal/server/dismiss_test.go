package server

import (
	"context"
	"testing"
	"time"

	"ottla/internal/quorum"
	"ottla/internal/uuid"
	"ottla/internal/vfs"
)

// An observer whose node was unregistered while the node that led ended is taken
// out by the one that leads next: that is told of no change of nodes any more.
func TestWhoBeginsToLeadForgetsObserversThatAreNoNodes(t *testing.T) {
	f := vfs.NewMem(0)
	s, err := startOn(t, f, "/data")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	stranger := quorum.Voter{ID: 9, DirectoryID: uuid.UUID{9, 15: 200}, NoVote: true}
	if err := s.quorum.Change(ctx, quorum.MembershipChange{Kind: quorum.AddLearner, Voter: stranger}); err != nil {
		t.Fatal(err)
	}
	look := time.NewTicker(time.Millisecond)
	defer look.Stop()
	for len(s.strangers(s.quorum.Image())) == 0 && ctx.Err() == nil {
		<-look.C // it is shown a moment after it was answered
	}
	if got := s.strangers(s.quorum.Image()); len(got) != 1 || got[0].ID != 9 {
		t.Fatalf("strangers are %v, want node 9", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = startOn(t, f, "/data"); err != nil {
		t.Fatal(err)
	}
	for len(s.quorum.Members()) > 1 && ctx.Err() == nil {
		<-look.C
	}
	if got := s.quorum.Members(); len(got) != 1 || got[0].ID != 1 {
		t.Errorf("members are %v, want node 1 alone", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
