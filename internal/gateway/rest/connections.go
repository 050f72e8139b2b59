package rest

import (
	"context"
	"net/http"

	"ottla/internal/event/connection"
	"ottla/internal/event/name"
)

// ConnectionService is what the door asks of connections and API destinations;
// internal/event/connection has it.
type ConnectionService interface {
	Put(ctx context.Context, ref name.Ref, spec connection.Spec) (c connection.Connection, created bool, err error)
	Differs(ctx context.Context, ref name.Ref, spec connection.Spec) (parts []string, err error)
	Describe(ctx context.Context, ref name.Ref) (connection.Connection, error)
	List(ctx context.Context, begin name.Ref, after string, most int) ([]connection.Connection, string, error)
	Deauthorize(ctx context.Context, ref name.Ref) (connection.Connection, error)
	Delete(ctx context.Context, ref name.Ref, force bool) (connection.Connection, error)

	PutDestination(ctx context.Context, ref name.Ref, spec connection.DestinationSpec) (d connection.Destination, created bool, err error)
	DescribeDestination(ctx context.Context, ref name.Ref) (connection.Destination, error)
	ListDestinations(ctx context.Context, begin, of name.Ref, after string, most int) ([]connection.Destination, string, error)
	DeleteDestination(ctx context.Context, ref name.Ref, force bool) error
}

// ConnectionOrder is what a connection is told to be: one of APIKey, Basic and OAuth, or
// none where one that is there keeps its own.
type ConnectionOrder struct {
	Description string             `json:"description,omitempty"`
	APIKey      *APIKey            `json:"api_key,omitempty"`
	Basic       *Basic             `json:"basic,omitempty"`
	OAuth       *connection.Client `json:"oauth,omitempty"` // method is POST unless it is said
	// Parameters are added to every call.
	Parameters connection.Parameters `json:"parameters"`
}

// APIKey is a header with a secret.
type APIKey struct {
	Name  string `json:"name"`
	Value string `json:"value,omitempty"`
}

// Basic is a user with a password.
type Basic struct {
	User     string `json:"user"`
	Password string `json:"password,omitempty"`
}

// Connection is a connection as it is, without its secrets.
type Connection struct {
	Name string `json:"name"`
	ARN  string `json:"arn"`
	ConnectionOrder
	State        string `json:"state"`
	Reason       string `json:"reason,omitempty"`
	AuthorizedMs int64  `json:"authorized_ms,omitempty"`
	CreatedMs    int64  `json:"created_ms"`
	ModifiedMs   int64  `json:"modified_ms"`
}

// Connections is one page of connections.
type Connections struct {
	Connections []Connection `json:"connections"`
	Next        string       `json:"next,omitempty"`
}

// Differences are the fields in which a connection is not as an order has it.
type Differences struct {
	Changed []string `json:"changed"`
}

// DestinationOrder is what an API destination is told to be.
type DestinationOrder struct {
	Description string `json:"description,omitempty"`
	Connection  string `json:"connection"` // its name
	URL         string `json:"url"`
	Method      string `json:"method,omitempty"` // POST unless it is said
	Rate        int32  `json:"rate,omitempty"`   // calls a second; 0 is 300
}

// Destination is an API destination as it is.
type Destination struct {
	Name string `json:"name"`
	ARN  string `json:"arn"`
	DestinationOrder
	State      string `json:"state"`
	CreatedMs  int64  `json:"created_ms"`
	ModifiedMs int64  `json:"modified_ms"`
}

// Destinations is one page of API destinations.
type Destinations struct {
	Destinations []Destination `json:"destinations"`
	Next         string        `json:"next,omitempty"`
}

func (d *door) connectionRoutes() map[string]handler {
	return map[string]handler{
		"GET /connection":                     d.listConnections,
		"PUT /connection/{name}":              d.putConnection,
		"POST /connection/{name}/compare":     d.compareConnection,
		"GET /connection/{name}":              d.describeConnection,
		"DELETE /connection/{name}":           d.deleteConnection,
		"POST /connection/{name}/deauthorize": d.deauthorizeConnection,
		"GET /destination":                    d.listDestinations,
		"PUT /destination/{name}":             d.putDestination,
		"GET /destination/{name}":             d.describeDestination,
		"DELETE /destination/{name}":          d.deleteDestination,
	}
}

// objectRef is an object of a kind at the place that the request names.
func objectRef(r *http.Request, kind name.Kind, called string) name.Ref {
	at := placed(r, "")
	return name.Ref{Kind: kind, Account: at.Account, Region: at.Region, Name: called}
}

func connectionRef(r *http.Request) name.Ref {
	return objectRef(r, name.Connection, r.PathValue("name"))
}

// spec is the order as the service takes it.
func (o *ConnectionOrder) spec() (s connection.Spec, err error) {
	given := 0
	s.Description, s.Auth.Parameters = o.Description, o.Parameters
	if o.APIKey != nil {
		given++
		s.Auth.Type, s.Auth.Name, s.Auth.Value = connection.APIKey, o.APIKey.Name, o.APIKey.Value
	}
	if o.Basic != nil {
		given++
		s.Auth.Type, s.Auth.User, s.Auth.Password = connection.Basic, o.Basic.User, o.Basic.Password
	}
	if o.OAuth != nil {
		given++
		client := *o.OAuth
		if client.Method == "" {
			client.Method = http.MethodPost
		}
		s.Auth.Type, s.Auth.OAuth = connection.OAuth, &client
	}
	p := &o.Parameters
	switch {
	case given > 1:
		return s, badRequest("a connection has one of api_key, basic and oauth")
	case given == 0 && len(p.Header)+len(p.Query)+len(p.Body) > 0:
		return s, badRequest("parameters stand beside api_key, basic or oauth, which are told again with them")
	}
	return s, nil
}

func connectionShape(c *connection.Connection) Connection {
	out := Connection{
		Name: c.Ref.Name, ARN: c.ARN(), State: string(c.State), Reason: c.Reason, AuthorizedMs: c.AuthorizedMs, CreatedMs: c.Created.UnixMilli(), ModifiedMs: c.Modified.UnixMilli(),
		ConnectionOrder: ConnectionOrder{Description: c.Description, Parameters: c.Auth.Parameters},
	}
	switch c.Auth.Type {
	case connection.APIKey:
		out.APIKey = &APIKey{Name: c.Auth.Name}
	case connection.Basic:
		out.Basic = &Basic{User: c.Auth.User}
	case connection.OAuth:
		out.OAuth = c.Auth.OAuth
	}
	return out
}

func (d *door) listConnections(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Connections.List(r.Context(), objectRef(r, name.Connection, q.Get("prefix")), q.Get("next"), most)
	if err != nil {
		return err
	}
	out := Connections{Connections: []Connection{}, Next: next}
	for i := range found {
		out.Connections = append(out.Connections, connectionShape(&found[i]))
	}
	answer(w, http.StatusOK, out)
	return nil
}

// ordered reads what a connection is told to be.
func ordered(r *http.Request) (connection.Spec, error) {
	var in ConnectionOrder
	if err := readInto(r, &in); err != nil {
		return connection.Spec{}, err
	}
	return in.spec()
}

func (d *door) putConnection(w http.ResponseWriter, r *http.Request) error {
	spec, err := ordered(r)
	if err != nil {
		return err
	}
	c, created, err := d.Connections.Put(r.Context(), connectionRef(r), spec)
	if err != nil {
		return err
	}
	answer(w, putStatus(created), connectionShape(&c))
	return nil
}

func putStatus(created bool) int {
	if created {
		return http.StatusCreated
	}
	return http.StatusOK
}

// compareConnection tells what putConnection would change.
func (d *door) compareConnection(w http.ResponseWriter, r *http.Request) error {
	spec, err := ordered(r)
	if err != nil {
		return err
	}
	changed, err := d.Connections.Differs(r.Context(), connectionRef(r), spec)
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, Differences{append([]string{}, changed...)})
	return nil
}

func tellConnection(w http.ResponseWriter, c connection.Connection, err error) error {
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, connectionShape(&c))
	return nil
}

func (d *door) describeConnection(w http.ResponseWriter, r *http.Request) error {
	c, err := d.Connections.Describe(r.Context(), connectionRef(r))
	return tellConnection(w, c, err)
}

func (d *door) deauthorizeConnection(w http.ResponseWriter, r *http.Request) error {
	c, err := d.Connections.Deauthorize(r.Context(), connectionRef(r))
	return tellConnection(w, c, err)
}

func (d *door) deleteConnection(w http.ResponseWriter, r *http.Request) error {
	if _, err := d.Connections.Delete(r.Context(), connectionRef(r), forced(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func destinationRef(r *http.Request) name.Ref {
	return objectRef(r, name.Destination, r.PathValue("name"))
}

func destinationShape(x *connection.Destination) Destination {
	return Destination{
		Name: x.Ref.Name, ARN: x.ARN(), State: string(x.State), CreatedMs: x.Created.UnixMilli(), ModifiedMs: x.Modified.UnixMilli(),
		DestinationOrder: DestinationOrder{Description: x.Description, Connection: x.Connection.Name, URL: x.URL, Method: x.Method, Rate: x.Rate},
	}
}

func (d *door) listDestinations(w http.ResponseWriter, r *http.Request) error {
	most, err := count(r, "max", 100, maxPage)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	found, next, err := d.Connections.ListDestinations(r.Context(), objectRef(r, name.Destination, q.Get("prefix")), objectRef(r, name.Connection, q.Get("connection")), q.Get("next"), most)
	if err != nil {
		return err
	}
	out := Destinations{Destinations: []Destination{}, Next: next}
	for i := range found {
		out.Destinations = append(out.Destinations, destinationShape(&found[i]))
	}
	answer(w, http.StatusOK, out)
	return nil
}

func (d *door) putDestination(w http.ResponseWriter, r *http.Request) error {
	in := DestinationOrder{Method: http.MethodPost}
	if err := readInto(r, &in); err != nil {
		return err
	}
	spec := connection.DestinationSpec{Description: in.Description, Connection: objectRef(r, name.Connection, in.Connection), URL: in.URL, Method: in.Method, Rate: in.Rate}
	x, created, err := d.Connections.PutDestination(r.Context(), destinationRef(r), spec)
	if err != nil {
		return err
	}
	answer(w, putStatus(created), destinationShape(&x))
	return nil
}

func (d *door) describeDestination(w http.ResponseWriter, r *http.Request) error {
	x, err := d.Connections.DescribeDestination(r.Context(), destinationRef(r))
	if err != nil {
		return err
	}
	answer(w, http.StatusOK, destinationShape(&x))
	return nil
}

func (d *door) deleteDestination(w http.ResponseWriter, r *http.Request) error {
	if err := d.Connections.DeleteDestination(r.Context(), destinationRef(r), forced(r)); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
