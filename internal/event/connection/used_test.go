package connection_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"ottla/internal/event/connection"
	"ottla/internal/event/name"
	"ottla/internal/event/seal"
)

// refused tells whether an error is an ErrInUse with this text.
func refused(err error, why string) bool {
	return errors.Is(err, connection.ErrInUse) && err.Error() == why
}

// Who deletes what others use is told by whom it is used; force deletes it all the same,
// and what is not there is not in use.
func TestWhatIsUsedIsDeletedByForceAlone(t *testing.T) {
	r := newRig(t)
	auth := connection.Auth{Type: connection.Basic, User: "u", Password: "p"}
	r.connect("crm", auth)
	r.connect("other", auth)
	ref := name.Of(name.Connection, "crm")
	spec := connection.DestinationSpec{Connection: ref, URL: "https://example.org/in", Method: "POST"}
	elsewhere := name.Ref{Kind: name.Destination, Account: name.DefaultAccount, Region: "eu-west-1", Name: "crm"}
	for _, to := range []name.Ref{elsewhere, name.Of(name.Destination, "a"), name.Of(name.Destination, "b"), name.Of(name.Destination, "c")} {
		_, err := r.svc.CreateDestination(r.ctx(), to, spec)
		r.must(err)
	}
	if _, err := r.svc.Delete(r.ctx(), ref, false); !refused(err, "connection crm: it is used by api-destination crm (123456789012, eu-west-1), api-destination a, api-destination b and 2 more") {
		t.Errorf("a connection that five have: %v", err)
	}
	for _, called := range []string{"a", "b", "c", "crm"} {
		r.must(r.svc.DeleteDestination(r.ctx(), name.Of(name.Destination, called), false))
	}
	if _, err := r.svc.Delete(r.ctx(), ref, false); !refused(err, "connection crm: it is used by api-destination crm (123456789012, eu-west-1)") {
		t.Errorf("a connection that one has, elsewhere: %v", err)
	}
	_, err := r.svc.Delete(r.ctx(), ref, true)
	r.must(err)
	if _, err := r.svc.Delete(r.ctx(), ref, false); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("a connection that is not there: %v", err)
	}
	if d, err := r.svc.DescribeDestination(r.ctx(), elsewhere); err != nil || d.State != connection.Inactive {
		t.Errorf("who had it is %+v, %v", d, err)
	}

	to, callers := name.Of(name.Destination, "other"), []name.Ref{name.Of(name.Rule, "shop/sync")}
	svc := connection.New(connection.Options{Objects: r.Objects(), Sealer: seal.New(r.Objects()), Now: r.clock.Now, Callers: func(_ context.Context, of name.Ref) ([]name.Ref, error) {
		if of != to {
			return nil, fmt.Errorf("asked of %s", of)
		}
		return callers, nil
	}})
	defer svc.Close()
	if err := svc.DeleteDestination(r.ctx(), to, false); !refused(err, "api-destination other: it is used by rule shop/sync") {
		t.Errorf("a destination that is called: %v", err)
	}
	r.must(svc.DeleteDestination(r.ctx(), to, true))
	if err := svc.DeleteDestination(r.ctx(), to, false); !errors.Is(err, connection.ErrNotFound) {
		t.Errorf("a destination that is not there: %v", err)
	}
}
