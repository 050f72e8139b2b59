package server

import (
	"strings"
	"testing"

	"ottla/internal/datadir"
	"ottla/internal/vfs"
)

// A node that is given the token of another cluster than its directory's does not
// go on where it was as if nothing had been said.
func TestATokenOfAnotherClusterIsRefused(t *testing.T) {
	f := vfs.NewMem(0)
	tokens := map[string]string{}
	for _, dir := range []string{"/a", "/b"} {
		s, err := startOn(t, f, dir)
		if err != nil {
			t.Fatal(err)
		}
		if tokens[dir], err = s.Token(); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	owner, err := datadir.Owner(f, "/a")
	if err != nil {
		t.Fatal(err)
	}
	for token, want := range map[string]string{
		tokens["/a"]: "", "": "", "no token": "", // a member needs none
		tokens["/b"]: "/a is the data directory of node 1 of cluster " + owner.ClusterID,
	} {
		err := sameCluster(owner, token)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("token %.12s: %v, want %q", token, err, want)
		}
	}
}
