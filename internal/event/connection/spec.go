package connection

import (
	"time"

	"ottla/internal/event/name"
)

// Type is how calls are authorized, by EventBridge's names.
type Type string

// The types.
const (
	APIKey Type = "API_KEY"
	Basic  Type = "BASIC"
	OAuth  Type = "OAUTH_CLIENT_CREDENTIALS"
)

// State is how a connection or a destination stands, by EventBridge's names.
type State string

// The states. Active and Inactive are of destinations.
const (
	Authorizing  State = "AUTHORIZING"
	Authorized   State = "AUTHORIZED"
	Deauthorized State = "DEAUTHORIZED"
	Active       State = "ACTIVE"
	Inactive     State = "INACTIVE"
)

// Auth is how calls are authorized. It is kept as JSON: names of fields stay. What is
// told back has no secrets in it.
type Auth struct {
	Type Type `json:"type"`
	// Name and Value are a key's header; Value is a secret.
	Name  string `json:"name,omitempty"`
	Value string `json:"value,omitempty"`
	// User and Password are of Basic; Password is a secret.
	User     string  `json:"user,omitempty"`
	Password string  `json:"password,omitempty"`
	OAuth    *Client `json:"oauth,omitempty"`
	// Parameters are added to every call.
	Parameters Parameters `json:"parameters"`
}

// Client is who asks for tokens.
type Client struct {
	ID       string `json:"id"`
	Secret   string `json:"secret,omitempty"` // a secret
	Endpoint string `json:"endpoint"`         // that gives tokens
	Method   string `json:"method"`           // GET, POST or PUT
	// Parameters are added to the question for a token.
	Parameters Parameters `json:"parameters"`
}

// Parameters are added to a call.
type Parameters struct {
	Header []Parameter `json:"header,omitempty"`
	Query  []Parameter `json:"query,omitempty"`
	Body   []Parameter `json:"body,omitempty"`
}

// Parameter is one of them.
type Parameter struct {
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	Secret bool   `json:"secret,omitempty"` // its value is one
}

// Spec is what a connection is told to be.
type Spec struct {
	Description string
	Auth        Auth
}

// Connection is a connection as it is, without its secrets.
type Connection struct {
	Ref name.Ref
	Spec
	ID                string
	State             State
	Reason            string // of the State
	Version           int64
	Created, Modified time.Time
	AuthorizedMs      int64 // when it was authorized last; 0 for never
}

// ARN is the connection's Amazon Resource Name, which has its id.
func (c *Connection) ARN() string { return c.Ref.ARN() + "/" + c.ID }

// stored is how a connection is kept.
type stored struct {
	Description  string `json:"description,omitempty"`
	Auth         Auth   `json:"auth"`             // without secrets
	Sealed       string `json:"sealed,omitempty"` // Auth with them
	State        State  `json:"state"`
	Reason       string `json:"reason,omitempty"`
	AuthorizedMs int64  `json:"authorized,omitempty"`
}

// DestinationSpec is what an API destination is told to be. It is kept as JSON.
type DestinationSpec struct {
	Description string   `json:"description,omitempty"`
	Connection  name.Ref `json:"connection"`
	URL         string   `json:"url"` // with * for values of targets
	Method      string   `json:"method"`
	Rate        int32    `json:"rate,omitempty"` // calls a second; 0 is DefaultRate
}

// DefaultRate is how often a destination is called a second that says nothing.
const DefaultRate = 300

// Destination is an API destination as it is.
type Destination struct {
	Ref name.Ref
	DestinationSpec
	ID                string
	State             State
	Version           int64
	Created, Modified time.Time
}

// ARN is the destination's Amazon Resource Name, which has its id.
func (d *Destination) ARN() string { return d.Ref.ARN() + "/" + d.ID }

// bare is the Auth without secrets.
func (a Auth) bare() Auth {
	a.Value, a.Password = "", ""
	if a.OAuth != nil {
		c := *a.OAuth
		c.Secret, c.Parameters = "", c.Parameters.bare()
		a.OAuth = &c
	}
	a.Parameters = a.Parameters.bare()
	return a
}

func (p Parameters) bare() Parameters {
	return Parameters{bareList(p.Header), bareList(p.Query), bareList(p.Body)}
}

func bareList(list []Parameter) []Parameter {
	var out []Parameter
	for _, p := range list {
		if p.Secret {
			p.Value = ""
		}
		out = append(out, p)
	}
	return out
}
