package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ottla/test/rig"
)

// Requests go to all nodes in turn, and past one that is not there.
func TestRequestsGoToAllNodesInTurn(t *testing.T) {
	var nodes []*rig.Node
	var servers []*httptest.Server
	for _, name := range []string{"a", "b", "c"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, name+r.Host+string(body)) // the client is here
		}))
		defer s.Close()
		s.Config.SetKeepAlivesEnabled(false) // that one has gone is seen when it is reached for
		servers, nodes = append(servers, s), append(nodes, &rig.Node{HTTP: strings.TrimPrefix(s.URL, "http://")})
	}
	b, err := startBalancer(nodes)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := b.stop(); err != nil {
			t.Error(err)
		}
	}()
	ask := func(method, body string) string {
		r, err := http.NewRequestWithContext(t.Context(), method, "http://"+b.addr+"/x", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		got, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(got)
	}
	for i, want := range []string{"b", "c", "a", "b"} {
		if got := ask(http.MethodPost, "!"); got != want+b.addr+"!" {
			t.Errorf("request %d: got %s, want %s", i, got, want+b.addr+"!")
		}
	}
	servers[2].Close() // whose turn it is
	if got := ask(http.MethodGet, ""); got != "a"+b.addr {
		t.Errorf("past a node that is not there: got %s, want %s", got, "a"+b.addr)
	}
	for _, s := range servers {
		s.Close()
	}
	if got := ask(http.MethodGet, ""); got != "" {
		t.Errorf("without nodes: got %q", got)
	}
}
