package connection_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"ottla/internal/clock"
	"ottla/internal/config"
	"ottla/internal/event/connection"
	"ottla/internal/event/name"
	"ottla/internal/event/object"
	"ottla/internal/event/outbound"
	"ottla/internal/event/plan"
	"ottla/internal/event/seal"
	"ottla/internal/server"
	"ottla/internal/vfs"
)

const patience = 2 * time.Minute

// rig is a node in memory with connections of the test's own.
type rig struct {
	*testing.T
	*server.Server
	clock *clock.Clock
	svc   *connection.Service
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{T: t, clock: &clock.Clock{}}
	static, err := config.StaticOf("test", nil)
	r.must(err)
	r.Server, err = server.Start(r.ctx(), server.Options{
		FS: vfs.NewMem(0), Dirs: []string{"/data"}, NodeID: -1, Listen: []server.Listener{{Name: "PLAINTEXT", Addr: "127.0.0.1:0"}}, Static: static,
		Now: r.clock.Now, Live: time.Now, Clock: r.clock, Logger: slog.New(slog.DiscardHandler), VerifyAge: time.Minute, Version: "test", LoopbackTargets: true,
	})
	r.must(err)
	guard, err := outbound.NewGuard(outbound.GuardOptions{Loopback: true})
	r.must(err)
	r.svc = connection.New(connection.Options{
		Objects: r.Objects(), Sealer: seal.New(r.Objects()), HTTP: outbound.New(outbound.Options{Guard: guard, Timeout: patience}), Now: r.clock.Now,
	})
	t.Cleanup(func() {
		r.svc.Close()
		r.must(r.Server.Close())
	})
	return r
}

func (r *rig) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	r.Cleanup(cancel)
	return ctx
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// connect makes a connection and a destination that has it, and gives what is called.
func (r *rig) connect(called string, auth connection.Auth) {
	r.Helper()
	ref := name.Of(name.Connection, called)
	_, err := r.svc.Create(r.ctx(), ref, connection.Spec{Auth: auth})
	r.must(err)
	_, err = r.svc.CreateDestination(r.ctx(), name.Of(name.Destination, called), connection.DestinationSpec{Connection: ref, URL: "https://example.org/*/in", Method: "PUT", Rate: 7})
	r.must(err)
}

func (r *rig) endpoint(called string) (*plan.Endpoint, error) {
	e := &plan.Endpoint{}
	return e, r.svc.Endpoint(r.ctx(), name.Of(name.Destination, called), e)
}

// authorization is what a call would be authorized with.
func (r *rig) authorization(e *plan.Endpoint, stale bool) string {
	r.Helper()
	got, err := e.Authorize(r.ctx(), stale)
	r.must(err)
	var out []string
	for _, h := range got {
		out = append(out, h.Name+"="+h.Value)
	}
	return strings.Join(out, " ")
}

var all = connection.Parameters{
	Header: []connection.Parameter{{Name: "X-A", Value: "open"}}, Query: []connection.Parameter{{Name: "q", Value: "hush-q", Secret: true}},
	Body: []connection.Parameter{{Name: "b", Value: "hush-b", Secret: true}},
}

func TestACallGetsWhatItsConnectionKnows(t *testing.T) {
	r := newRig(t)
	r.connect("key", connection.Auth{Type: connection.APIKey, Name: "x-api-key", Value: "hush", Parameters: all})
	r.connect("basic", connection.Auth{Type: connection.Basic, User: "u", Password: "hush"})
	e, err := r.endpoint("key")
	r.must(err)
	if got := r.authorization(e, false); got != "x-api-key=hush" {
		t.Errorf("authorized by %s", got)
	}
	if got := fmt.Sprint(e.URL, e.Method, e.Rate, e.Headers, e.Query, e.Body); got != "https://example.org/*/inPUT7 [{X-A open}] [{q hush-q}] [{b hush-b}]" {
		t.Errorf("called with %s", got)
	}
	e, err = r.endpoint("basic")
	r.must(err)
	if got := r.authorization(e, false); got != "Authorization=Basic dTpodXNo" {
		t.Errorf("authorized by %s", got)
	}
}

func TestSecretsAreInNoAnswerAndInNoDefinition(t *testing.T) {
	r := newRig(t)
	r.connect("key", connection.Auth{Type: connection.APIKey, Name: "x-api-key", Value: "hush", Parameters: all})
	c, err := r.svc.Describe(r.ctx(), name.Of(name.Connection, "key"))
	r.must(err)
	list, _, err := r.svc.List(r.ctx(), name.Of(name.Connection, ""), "", 10)
	r.must(err)
	o, err := r.Objects().Get(r.ctx(), c.Ref)
	r.must(err)
	text, err := json.Marshal([]any{c, list, o})
	r.must(err)
	if strings.Contains(string(text)+string(o.Spec), "hush") || !strings.Contains(string(text), "open") || c.State != connection.Authorized || len(list) != 1 {
		t.Errorf("told: %s %s", text, o.Spec)
	}
}

func TestADeauthorizedConnectionCallsNothingUntilItIsAuthorizedAgain(t *testing.T) {
	r := newRig(t)
	r.connect("key", connection.Auth{Type: connection.APIKey, Name: "k", Value: "old"})
	ref := name.Of(name.Connection, "key")
	c, err := r.svc.Deauthorize(r.ctx(), ref)
	r.must(err)
	d, err := r.svc.DescribeDestination(r.ctx(), name.Of(name.Destination, "key"))
	r.must(err)
	e, err := r.endpoint("key")
	r.must(err)
	if _, err := e.Authorize(r.ctx(), false); !errors.Is(err, connection.ErrUnavailable) || c.State != connection.Deauthorized || d.State != connection.Inactive {
		t.Errorf("%v; the connection is %s, the destination %s", err, c.State, d.State)
	}
	_, err = r.svc.Update(r.ctx(), ref, func(_ *string, auth **connection.Auth) error {
		*auth = &connection.Auth{Type: connection.APIKey, Name: "k", Value: "new"}
		return nil
	})
	r.must(err)
	e, err = r.endpoint("key")
	r.must(err)
	if got := r.authorization(e, false); got != "k=new" {
		t.Errorf("authorized by %s", got)
	}
	r.must(r.svc.DeleteDestination(r.ctx(), name.Of(name.Destination, "key"), false))
	if _, err := r.endpoint("key"); !errors.Is(err, plan.ErrGone) {
		t.Errorf("a destination that was deleted: %v", err)
	}
}

// giver gives tokens.
type giver struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
	code  int
}

func newGiver(t *testing.T) *giver {
	g := &giver{code: 200}
	g.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		_ = req.ParseForm()
		user, password, _ := req.BasicAuth()
		g.mu.Lock()
		defer g.mu.Unlock()
		g.asked = append(g.asked, fmt.Sprint(req.Method, " ", user, ":", password, " ", req.Form.Get("grant_type"), " ", req.Form.Get("scope"), " ", req.Header.Get("X-A")))
		w.WriteHeader(g.code)
		fmt.Fprintf(w, `{"access_token":"t%d","token_type":"bearer","expires_in":3600}`, len(g.asked))
	}))
	t.Cleanup(g.Server.Close)
	return g
}

func (g *giver) auth() connection.Auth {
	return connection.Auth{Type: connection.OAuth, OAuth: &connection.Client{
		ID: "me", Secret: "hush", Endpoint: g.URL, Method: "POST", Parameters: connection.Parameters{Header: all.Header, Body: []connection.Parameter{{Name: "scope", Value: "s"}}},
	}}
}

// stands waits until a connection stands as it is to.
func (r *rig) stands(called string, want connection.State) {
	r.Helper()
	for ctx := r.ctx(); ; {
		c, err := r.svc.Describe(ctx, name.Of(name.Connection, called))
		r.must(err)
		if c.State == want {
			return
		}
		if c.State != connection.Authorizing {
			r.Fatalf("it is %s (%s), want %s", c.State, c.Reason, want)
		}
	}
}

func TestATokenIsKeptUntilItExpiresOrIsRefused(t *testing.T) {
	r := newRig(t)
	g := newGiver(t)
	r.connect("oauth", g.auth())
	r.stands("oauth", connection.Authorized)
	e, err := r.endpoint("oauth")
	r.must(err)
	var got []string
	got = append(got, r.authorization(e, false), r.authorization(e, false))
	other, err := r.endpoint("oauth")
	r.must(err)
	r.authorization(other, false)
	got = append(got, r.authorization(e, true), r.authorization(other, true)) // both had the same: one is enough
	r.must(r.clock.Advance(r.ctx(), time.Hour))
	got = append(got, r.authorization(e, false))
	if text := strings.Join(got, " "); text != strings.ReplaceAll("t1 t1 t2 t2 t3", "t", "Authorization=Bearer t") {
		t.Errorf("authorized by %s", text)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.asked) != 3 || g.asked[0] != "POST me:hush client_credentials s open" {
		t.Errorf("asked for tokens: %q", g.asked)
	}
}

func TestAClientThatIsRefusedIsNotAuthorized(t *testing.T) {
	r := newRig(t)
	g := newGiver(t)
	g.code = 401
	r.connect("oauth", g.auth())
	r.stands("oauth", connection.Deauthorized)
	g.mu.Lock()
	g.code = 200 // whoever gives tokens knows the client by now
	g.mu.Unlock()
	_, _, err := r.svc.Put(r.ctx(), name.Of(name.Connection, "oauth"), connection.Spec{Auth: g.auth()})
	r.must(err)
	r.stands("oauth", connection.Authorized)
}

// removing objects let something happen before one is removed, once.
type removing struct {
	connection.Objects
	before func()
}

func (o *removing) Remove(ctx context.Context, what object.Object) error {
	if before := o.before; before != nil {
		o.before = nil
		before()
	}
	return o.Objects.Remove(ctx, what)
}

// Another node deletes a connection and its destination, and makes them anew, while this
// one deletes them: the new ones stay.
func TestWhatIsMadeAnewIsNotDeletedByWhoDeletesTheOld(t *testing.T) {
	r := newRig(t)
	auth := connection.Auth{Type: connection.Basic, User: "u", Password: "p"}
	r.connect("crm", auth)
	ref, to := name.Of(name.Connection, "crm"), name.Of(name.Destination, "crm")
	objects := &removing{Objects: r.Objects()}
	late := connection.New(connection.Options{Objects: objects, Sealer: seal.New(r.Objects()), Now: r.clock.Now})
	defer late.Close()
	anew := func() {
		r.must(r.svc.DeleteDestination(r.ctx(), to, true))
		_, err := r.svc.Delete(r.ctx(), ref, true)
		r.must(err)
		r.connect("crm", auth)
	}
	objects.before = anew
	old, err := r.svc.Describe(r.ctx(), ref)
	r.must(err)
	if gone, err := late.Delete(r.ctx(), ref, true); err != nil || gone.ID != old.ID {
		t.Errorf("the connection %+v was deleted: %v", gone, err)
	}
	objects.before = anew
	r.must(late.DeleteDestination(r.ctx(), to, true))
	if _, err := r.svc.Describe(r.ctx(), ref); err != nil {
		t.Errorf("the new connection: %v", err)
	}
	if _, err := r.svc.DescribeDestination(r.ctx(), to); err != nil {
		t.Errorf("the new destination: %v", err)
	}
}

func TestWhatCannotBeAConnection(t *testing.T) {
	r := newRig(t)
	r.connect("there", connection.Auth{Type: connection.Basic, User: "u", Password: "p"})
	for what, auth := range map[string]connection.Auth{
		"no type": {}, "no key": {Type: connection.APIKey, Name: "k"}, "a header that is none": {Type: connection.APIKey, Name: "a b", Value: "v"},
		"a user with a colon": {Type: connection.Basic, User: "a:b", Password: "p"}, "no client": {Type: connection.OAuth},
		"no address":   {Type: connection.OAuth, OAuth: &connection.Client{ID: "i", Secret: "s", Endpoint: "ftp://x", Method: "POST"}},
		"a line's end": {Type: connection.Basic, User: "u", Password: "p", Parameters: connection.Parameters{Header: []connection.Parameter{{Name: "h", Value: "a\r\nb"}}}},
	} {
		if _, err := r.svc.Create(r.ctx(), name.Of(name.Connection, "new"), connection.Spec{Auth: auth}); !errors.Is(err, connection.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	good := connection.Auth{Type: connection.Basic, User: "u", Password: "p"}
	if _, err := r.svc.Create(r.ctx(), name.Of(name.Connection, "there"), connection.Spec{Auth: good}); !errors.Is(err, connection.ErrExists) {
		t.Errorf("one that is there: %v", err)
	}
	there := name.Of(name.Connection, "there")
	for what, d := range map[string]connection.DestinationSpec{
		"a host with *": {Connection: there, URL: "https://*/x", Method: "POST"}, "a method": {Connection: there, URL: "https://x", Method: "TRACE"},
		"a rate": {Connection: there, URL: "https://x", Method: "POST", Rate: -1}, "no connection": {URL: "https://x", Method: "POST"},
	} {
		if _, err := r.svc.CreateDestination(r.ctx(), name.Of(name.Destination, "new"), d); !errors.Is(err, connection.ErrInvalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := r.svc.CreateDestination(r.ctx(), name.Of(name.Destination, "new"), connection.DestinationSpec{Connection: name.Of(name.Connection, "none"), URL: "https://x", Method: "POST"}); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("a connection that is not there: %v", err)
	}
}

func TestAConnectionIsMadeToBeAsItIsTold(t *testing.T) {
	r := newRig(t)
	ref := name.Of(name.Connection, "crm")
	spec := connection.Spec{Description: "d", Auth: connection.Auth{Type: connection.APIKey, Name: "x-api-key", Value: "hush", Parameters: all}}
	if _, err := r.svc.Differs(r.ctx(), ref, spec); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if _, _, err := r.svc.Put(r.ctx(), ref, connection.Spec{}); !errors.Is(err, connection.ErrInvalid) {
		t.Errorf("without an authorization: %v", err)
	}
	made, created, err := r.svc.Put(r.ctx(), ref, spec)
	r.must(err)
	again, anew, err := r.svc.Put(r.ctx(), ref, spec)
	r.must(err)
	if !created || anew || again.Version != made.Version {
		t.Errorf("put twice: %v and %v, version %d and then %d", created, anew, made.Version, again.Version)
	}
	differs := func(want string, change func(*connection.Spec)) {
		t.Helper()
		other := spec
		change(&other)
		if got, err := r.svc.Differs(r.ctx(), ref, other); err != nil || strings.Join(got, " ") != want {
			t.Errorf("it differs in %v, %v; want %q", got, err, want)
		}
	}
	differs("", func(*connection.Spec) {})
	differs("", func(s *connection.Spec) { s.Auth = connection.Auth{} })
	differs("auth", func(s *connection.Spec) { s.Auth.Value = "other" })
	differs("auth", func(s *connection.Spec) { s.Auth.Parameters = connection.Parameters{Query: []connection.Parameter{}} })
	differs("description auth", func(s *connection.Spec) {
		s.Description, s.Auth = "", connection.Auth{Type: connection.Basic, User: "u", Password: "p"}
	})
	described, _, err := r.svc.Put(r.ctx(), ref, connection.Spec{Description: "other"})
	if spec.Description = "other"; err != nil || described.Description != "other" {
		t.Errorf("another description: %+v, %v", described, err)
	}
	differs("", func(*connection.Spec) {})
	_, err = r.svc.Deauthorize(r.ctx(), ref)
	r.must(err)
	differs("auth", func(*connection.Spec) {})

	to := name.Of(name.Destination, "crm")
	if _, _, err := r.svc.PutDestination(r.ctx(), to, connection.DestinationSpec{Connection: name.Of(name.Connection, "none"), URL: "https://example.org", Method: "POST"}); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("a destination without its connection: %v", err)
	}
	for i, rate := range []int32{0, 9} {
		d, created, err := r.svc.PutDestination(r.ctx(), to, connection.DestinationSpec{Connection: ref, URL: "https://example.org", Method: "POST", Rate: rate})
		if err != nil || created != (i == 0) || d.Rate != rate {
			t.Errorf("put %d: %+v, created %v, %v", i, d, created, err)
		}
	}
}
