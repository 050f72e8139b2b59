package events

import (
	"context"

	"ottla/internal/event/connection"
	"ottla/internal/event/name"
	"ottla/internal/gateway/aws/constraint"
	"ottla/internal/gateway/aws/protocol"
)

var (
	endpoints      = constraint.MustPattern(`((%[0-9A-Fa-f]{2}|[-()_.!~*';/?:@\x26=+$,A-Za-z0-9])+)([).!';/?:,])?`)
	connectionARNs = constraint.MustPattern(`^arn:aws([a-z]|\-)*:events:([a-z]|\d|\-)*:([0-9]{12})?:connection\/[\.\-_A-Za-z0-9]+\/[\-A-Za-z0-9]+$`)
)

const (
	maxEndpoint = 2048
	maxRate     = 1_000_000
)

// destinationIn is what CreateApiDestination and UpdateApiDestination take.
type destinationIn struct {
	Name        string  `json:"Name"`
	Description *string `json:"Description"`
	Connection  string  `json:"ConnectionArn"`
	Endpoint    string  `json:"InvocationEndpoint"`
	Method      string  `json:"HttpMethod"`
	Rate        *int64  `json:"InvocationRateLimitPerSecond"`
}

// check checks what the model says. whole wants all that a new destination needs.
func (in *destinationIn) check(whole bool) error {
	var b broken
	b.name("name", in.Name)
	if in.Description != nil {
		b.Length("description", *in.Description, 0, maxDescription)
	}
	for _, one := range []struct {
		member, value string
		most          int
		pattern       constraint.Pattern
	}{{"connectionArn", in.Connection, maxARN, connectionARNs}, {"invocationEndpoint", in.Endpoint, maxEndpoint, endpoints}} {
		if whole || one.value != "" {
			b.named(one.member, one.value, one.most, one.pattern)
		}
	}
	if whole && in.Method == "" {
		b.Null("httpMethod")
	}
	b.OneOf("httpMethod", in.Method, "HEAD", "POST", "PATCH", "DELETE", "PUT", "GET", "OPTIONS")
	if in.Rate != nil {
		b.Number("invocationRateLimitPerSecond", *in.Rate, 1, maxRate)
	}
	return b.Err()
}

// into writes what is said into a destination's spec; what is not said stays.
func (in *destinationIn) into(s *connection.DestinationSpec) error {
	if in.Connection != "" {
		ref, err := name.ParseARN(in.Connection)
		if err != nil || ref.Kind != name.Connection {
			return invalid("Parameter ConnectionArn is not valid. Reason: %s is no connection's ARN.", in.Connection)
		}
		s.Connection = ref
	}
	if in.Description != nil {
		s.Description = *in.Description
	}
	s.URL, s.Method = or(in.Endpoint, s.URL), or(in.Method, s.Method)
	if in.Rate != nil {
		s.Rate = int32(*in.Rate)
	}
	return nil
}

// shownDestination is what is told of an API destination.
type shownDestination struct {
	Arn         string           `json:"ApiDestinationArn"`
	Name        string           `json:"Name,omitempty"`
	Description string           `json:"Description,omitempty"`
	State       string           `json:"ApiDestinationState"`
	Connection  string           `json:"ConnectionArn,omitempty"`
	Endpoint    string           `json:"InvocationEndpoint,omitempty"`
	Method      string           `json:"HttpMethod,omitempty"`
	Rate        int32            `json:"InvocationRateLimitPerSecond,omitempty"`
	Created     *protocol.Moment `json:"CreationTime"`
	Modified    *protocol.Moment `json:"LastModifiedTime"`
}

// changedDestination is what calls that change an API destination answer.
func changedDestination(d connection.Destination) *shownDestination {
	return &shownDestination{Arn: withID(d.Ref, d.ID), State: string(d.State), Created: moment(d.Created), Modified: moment(d.Modified)}
}

// listedDestination is an API destination in a list. Its connection's ARN has the id
// of the connection that there is.
func (d door) listedDestination(ctx context.Context, one connection.Destination) *shownDestination {
	out := changedDestination(one)
	out.Name, out.Endpoint, out.Method, out.Rate = one.Ref.Name, one.URL, one.Method, one.Rate
	if out.Rate == 0 {
		out.Rate = connection.DefaultRate
	}
	id := "deleted"
	if c, err := d.connections.Describe(ctx, one.Connection); err == nil {
		id = c.ID
	}
	out.Connection = withID(one.Connection, id)
	return out
}

func destinationRef(c *protocol.Call, called string) name.Ref {
	return name.Ref{Kind: name.Destination, Account: c.Account, Region: c.Region, Name: called}
}

func (d door) createDestination(ctx context.Context, c *protocol.Call, in *destinationIn) (*shownDestination, error) {
	if err := in.check(true); err != nil {
		return nil, err
	}
	var spec connection.DestinationSpec
	if err := in.into(&spec); err != nil {
		return nil, err
	}
	if _, err := d.connections.Describe(ctx, spec.Connection); err != nil {
		return nil, refuseCalled("Connection '"+spec.Connection.Name+"'", "Connection "+spec.Connection.Name, err)
	}
	made, err := d.connections.CreateDestination(ctx, destinationRef(c, in.Name), spec)
	if err != nil {
		return nil, refuseDestination("create", in.Name, err)
	}
	return changedDestination(made), nil
}

func (d door) updateDestination(ctx context.Context, c *protocol.Call, in *destinationIn) (*shownDestination, error) {
	if err := in.check(false); err != nil {
		return nil, err
	}
	now, err := d.connections.UpdateDestination(ctx, destinationRef(c, in.Name), in.into)
	if err != nil {
		return nil, refuseDestination("update", in.Name, err)
	}
	return changedDestination(now), nil
}

func (d door) describeDestination(ctx context.Context, c *protocol.Call, in *nameIn) (*shownDestination, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	found, err := d.connections.DescribeDestination(ctx, destinationRef(c, in.Name))
	if err != nil {
		return nil, refuseDestination("describe", in.Name, err)
	}
	out := d.listedDestination(ctx, found)
	out.Description = found.Description
	return out, nil
}

func (d door) deleteDestination(ctx context.Context, c *protocol.Call, in *nameIn) (*protocol.Nothing, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	return nil, refuseDestination("delete", in.Name, d.connections.DeleteDestination(ctx, destinationRef(c, in.Name), true)) // as at AWS
}

type listDestinationsIn struct {
	Prefix     string `json:"NamePrefix"`
	Connection string `json:"ConnectionArn"`
	paged
}

type listDestinationsOut struct {
	Destinations []*shownDestination `json:"ApiDestinations"`
	NextToken    string              `json:"NextToken,omitempty"`
}

func (d door) listDestinations(ctx context.Context, c *protocol.Call, in *listDestinationsIn) (*listDestinationsOut, error) {
	var b broken
	b.optional("namePrefix", in.Prefix, maxName, anyName)
	b.optional("connectionArn", in.Connection, maxARN, connectionARNs)
	most, after := in.page(&b)
	if err := b.Err(); err != nil {
		return nil, err
	}
	var of name.Ref
	if in.Connection != "" {
		var err error
		if of, err = name.ParseARN(in.Connection); err != nil {
			return nil, invalid("Parameter ConnectionArn is not valid. Reason: %v", err)
		}
	}
	found, next, err := d.connections.ListDestinations(ctx, destinationRef(c, in.Prefix), of, after, most)
	if err != nil {
		return nil, refuseDestination("list", "", err)
	}
	out := &listDestinationsOut{Destinations: []*shownDestination{}, NextToken: token(next)}
	for _, one := range found {
		out.Destinations = append(out.Destinations, d.listedDestination(ctx, one))
	}
	return out, nil
}

// refuseDestination turns an error of API destinations into EventBridge's.
func refuseDestination(did, called string, err error) error {
	return refuseCalled("Failed to "+did+" the api-destination(s). An api-destination '"+called+"'", "An api-destination '"+called+"'", err)
}
