package events

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"ottla/internal/event/connection"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/protocol"
	"ottla/internal/uuid"
)

// connectionIn is what CreateConnection and UpdateConnection take.
type connectionIn struct {
	Name        string                  `json:"Name"`
	Description *string                 `json:"Description"`
	Type        string                  `json:"AuthorizationType"`
	Auth        *authParameters         `json:"AuthParameters"`
	Private     *connectivityParameters `json:"InvocationConnectivityParameters"`
	Key         string                  `json:"KmsKeyIdentifier"`
}

var types = []string{string(connection.Basic), string(connection.OAuth), string(connection.APIKey)}

func (in *connectionIn) check(b *broken, whole bool) {
	b.name("name", in.Name)
	if in.Description != nil {
		b.Length("description", *in.Description, 0, maxDescription)
	}
	if whole && in.Type == "" {
		b.Null("authorizationType")
	}
	b.OneOf("authorizationType", in.Type, types...)
	if in.Auth != nil {
		in.Auth.check(b, whole)
	} else if whole {
		b.Null("authParameters")
	}
}

// unserved refuses what has no place here.
func (in *connectionIn) unserved() error {
	if in.Key != "" {
		return invalid("Parameter KmsKeyIdentifier is not valid. Reason: secrets are sealed under a key of the cluster, and no other can be named.")
	}
	if in.Private != nil || in.Auth != nil && in.Auth.Private != nil {
		return invalid("Parameter InvocationConnectivityParameters is not valid. Reason: there is no private connectivity; what is called is called by the nodes.")
	}
	return nil
}

// shownConnection is what is told of a connection.
type shownConnection struct {
	Arn         string           `json:"ConnectionArn,omitempty"`
	Name        string           `json:"Name,omitempty"`
	Description string           `json:"Description,omitempty"`
	State       string           `json:"ConnectionState,omitempty"`
	Reason      string           `json:"StateReason,omitempty"`
	Type        string           `json:"AuthorizationType,omitempty"`
	Auth        *authParameters  `json:"AuthParameters,omitempty"`
	Created     *protocol.Moment `json:"CreationTime,omitempty"`
	Modified    *protocol.Moment `json:"LastModifiedTime,omitempty"`
	Authorized  *protocol.Moment `json:"LastAuthorizedTime,omitempty"`
}

// withID is an ARN with the object's id behind, as AWS has it for these.
func withID(ref name.Ref, id string) string {
	if u, err := uuid.Parse(id); err == nil {
		id = u.Standard()
	}
	return ref.ARN() + "/" + id
}

// changedConnection is what calls that change a connection answer.
func changedConnection(c connection.Connection) *shownConnection {
	return &shownConnection{
		Arn: withID(c.Ref, c.ID), State: string(c.State), Created: moment(c.Created), Modified: moment(c.Modified), Authorized: msMoment(c.AuthorizedMs),
	}
}

func connectionRef(c *protocol.Call, called string) name.Ref {
	return name.Ref{Kind: name.Connection, Account: c.Account, Region: c.Region, Name: called}
}

func (d door) createConnection(ctx context.Context, c *protocol.Call, in *connectionIn) (*shownConnection, error) {
	var b broken
	in.check(&b, true)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if err := in.unserved(); err != nil {
		return nil, err
	}
	auth, err := in.Auth.auth(connection.Type(in.Type), connection.Auth{})
	if err != nil {
		return nil, err
	}
	spec := connection.Spec{Auth: auth}
	if in.Description != nil {
		spec.Description = *in.Description
	}
	made, err := d.connections.Create(ctx, connectionRef(c, in.Name), spec)
	if err != nil {
		return nil, refuseConnection("create", in.Name, err)
	}
	out := changedConnection(made)
	out.Authorized = nil // as at AWS
	return out, nil
}

func (d door) updateConnection(ctx context.Context, c *protocol.Call, in *connectionIn) (*shownConnection, error) {
	var b broken
	in.check(&b, false)
	if err := b.Err(); err != nil {
		return nil, err
	}
	if err := in.unserved(); err != nil {
		return nil, err
	}
	ref := connectionRef(c, in.Name)
	old, err := d.connections.Describe(ctx, ref)
	if err != nil {
		return nil, refuseConnection("update", in.Name, err)
	}
	now, err := d.connections.Update(ctx, ref, func(description *string, auth **connection.Auth) error {
		if in.Description != nil {
			*description = *in.Description
		}
		kind := connection.Type(in.Type)
		if kind == "" {
			kind = old.Auth.Type
		}
		if in.Auth == nil && kind == old.Auth.Type {
			return nil
		}
		if in.Auth == nil {
			return invalid("Parameter AuthParameters is not valid. Reason: another AuthorizationType needs parameters of its own.")
		}
		all, err := in.Auth.auth(kind, old.Auth)
		*auth = &all
		return err
	})
	if err != nil {
		return nil, refuseConnection("update", in.Name, err)
	}
	return changedConnection(now), nil
}

func (d door) describeConnection(ctx context.Context, c *protocol.Call, in *nameIn) (*shownConnection, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	found, err := d.connections.Describe(ctx, connectionRef(c, in.Name))
	if err != nil {
		return nil, refuseConnection("describe", in.Name, err)
	}
	out := listedConnection(found)
	out.Description, out.Auth = found.Description, showAuth(found.Auth)
	return out, nil
}

// check checks a name as those of connections and API destinations are.
func (in *nameIn) check() error {
	var b broken
	b.name("name", in.Name)
	return b.Err()
}

// listedConnection is a connection in a list.
func listedConnection(c connection.Connection) *shownConnection {
	out := changedConnection(c)
	out.Name, out.Reason, out.Type = c.Ref.Name, c.Reason, string(c.Auth.Type)
	return out
}

func (d door) deauthorizeConnection(ctx context.Context, c *protocol.Call, in *nameIn) (*shownConnection, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	now, err := d.connections.Deauthorize(ctx, connectionRef(c, in.Name))
	if err != nil {
		return nil, refuseConnection("deauthorize", in.Name, err)
	}
	return changedConnection(now), nil
}

func (d door) deleteConnection(ctx context.Context, c *protocol.Call, in *nameIn) (*shownConnection, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	was, err := d.connections.Delete(ctx, connectionRef(c, in.Name), true) // as at AWS: what has it is inactive then
	if err != nil {
		return nil, refuseConnection("delete", in.Name, err)
	}
	out := changedConnection(was)
	out.State = "DELETING"
	return out, nil
}

type listConnectionsIn struct {
	Prefix string `json:"NamePrefix"`
	State  string `json:"ConnectionState"`
	paged
}

type listConnectionsOut struct {
	Connections []*shownConnection `json:"Connections"`
	NextToken   string             `json:"NextToken,omitempty"`
}

func (d door) listConnections(ctx context.Context, c *protocol.Call, in *listConnectionsIn) (*listConnectionsOut, error) {
	var b broken
	b.optional("namePrefix", in.Prefix, maxName, anyName)
	b.OneOf("connectionState", in.State, "CREATING", "UPDATING", "DELETING", "AUTHORIZED", "DEAUTHORIZED", "AUTHORIZING", "DEAUTHORIZING", "ACTIVE", "FAILED_CONNECTIVITY")
	most, after := in.page(&b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	out := &listConnectionsOut{Connections: []*shownConnection{}}
	for {
		found, next, err := d.connections.List(ctx, connectionRef(c, in.Prefix), after, most)
		if err != nil {
			return nil, refuseConnection("list", "", err)
		}
		for _, one := range found {
			if in.State == "" || in.State == string(one.State) {
				out.Connections = append(out.Connections, listedConnection(one))
			}
		}
		if next == "" || len(out.Connections) > 0 { // as of archives
			out.NextToken = token(next)
			return out, nil
		}
		after = next
	}
}

// refuseConnection turns an error of connections into EventBridge's.
func refuseConnection(did, called string, err error) error {
	return refuseCalled("Failed to "+did+" the connection(s). Connection '"+called+"'", "Connection "+called, err)
}

// refuseCalled is of connections and API destinations.
func refuseCalled(missing, what string, err error) error {
	var ours *protocol.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours):
		return ours
	case errors.Is(err, connection.ErrNotFound):
		return protocol.Errorf(notFound, "%s does not exist.", missing)
	case errors.Is(err, connection.ErrExists):
		return protocol.Errorf(alreadyExists, "%s already exists.", what)
	case errors.Is(err, connection.ErrConflict):
		return protocol.Errorf(modified, "%s was changed by somebody else at the same moment.", what)
	case errors.Is(err, connection.ErrInvalid):
		return invalid("%s cannot be: %s.", what, strings.TrimPrefix(err.Error(), connection.ErrInvalid.Error()+": "))
	case errors.Is(err, connection.ErrInUse):
		return invalid("%s is in use: %v", what, err)
	case errors.Is(err, connection.ErrUnavailable):
		return &protocol.Error{Shape: internal, Status: http.StatusServiceUnavailable, Message: "Connections cannot be reached at the moment; try again.", Cause: err}
	}
	return broke(err)
}
