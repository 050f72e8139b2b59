package events

import (
	"slices"
	"strconv"

	"ottla/internal/event/connection"
	"ottla/internal/gateway/aws/constraint"
)

// What a connection knows, on the wire: as it is written, and, without its secrets, as
// it is told.

type authParameters struct {
	Basic      *basicParameters        `json:"BasicAuthParameters,omitempty"`
	OAuth      *oauthParameters        `json:"OAuthParameters,omitempty"`
	APIKey     *apiKeyParameters       `json:"ApiKeyAuthParameters,omitempty"`
	Invocation *connectionParameters   `json:"InvocationHttpParameters,omitempty"`
	Private    *connectivityParameters `json:"ConnectivityParameters,omitempty"`
}

type basicParameters struct {
	User     string `json:"Username,omitempty"`
	Password string `json:"Password,omitempty"`
}

type apiKeyParameters struct {
	Name  string `json:"ApiKeyName,omitempty"`
	Value string `json:"ApiKeyValue,omitempty"`
}

type oauthParameters struct {
	Client   *clientParameters     `json:"ClientParameters,omitempty"`
	Endpoint string                `json:"AuthorizationEndpoint,omitempty"`
	Method   string                `json:"HttpMethod,omitempty"`
	HTTP     *connectionParameters `json:"OAuthHttpParameters,omitempty"`
}

type clientParameters struct {
	ID     string `json:"ClientID,omitempty"`
	Secret string `json:"ClientSecret,omitempty"`
}

// connectivityParameters are read to be refused.
type connectivityParameters struct{}

type connectionParameters struct {
	Headers []connectionParameter `json:"HeaderParameters,omitempty"`
	Query   []connectionParameter `json:"QueryStringParameters,omitempty"`
	Body    []connectionParameter `json:"BodyParameters,omitempty"`
}

type connectionParameter struct {
	Key    string `json:"Key"`
	Value  string `json:"Value,omitempty"`
	Secret bool   `json:"IsValueSecret"`
}

// authWord is what users, passwords, keys and clients may be.
var authWord = constraint.MustPattern(`[ \t]*[^\x00-\x1F:\x7F]+([ \t]+[^\x00-\x1F:\x7F]+)*[ \t]*`)

// maxWord bounds these, and names and values of parameters.
const (
	maxWord     = 512
	mostOfAKind = 100 // parameters of one kind
)

// word is of such a text. Secrets are not told in the answer.
func (b *broken) word(member, value string, needed, secret bool) {
	if value == "" {
		if needed {
			b.Null(member)
		}
		return
	}
	if !secret {
		b.named(member, value, maxWord, authWord)
		return
	}
	var hidden broken
	if hidden.named("", value, maxWord, authWord); len(hidden.Broken) > 0 {
		b.Value(member, "***", "have 1 to 512 characters, without colons and control characters")
	}
}

// check checks what the model says. whole wants all that a new connection needs.
func (p *authParameters) check(b *broken, whole bool) {
	const at = "authParameters."
	if x := p.Basic; x != nil {
		b.word(at+"basicAuthParameters.username", x.User, whole, false)
		b.word(at+"basicAuthParameters.password", x.Password, whole, true)
	}
	if x := p.APIKey; x != nil {
		b.word(at+"apiKeyAuthParameters.apiKeyName", x.Name, whole, false)
		b.word(at+"apiKeyAuthParameters.apiKeyValue", x.Value, whole, true)
	}
	if x := p.OAuth; x != nil {
		x.check(b, at+"oAuthParameters.", whole)
	}
	p.Invocation.check(b, at+"invocationHttpParameters.")
}

func (x *oauthParameters) check(b *broken, at string, whole bool) {
	if x.Client != nil {
		b.word(at+"clientParameters.clientID", x.Client.ID, whole, false)
		b.word(at+"clientParameters.clientSecret", x.Client.Secret, whole, true)
	} else if whole {
		b.Null(at + "clientParameters")
	}
	if x.Endpoint != "" {
		b.named(at+"authorizationEndpoint", x.Endpoint, maxEndpoint, endpoints)
	} else if whole {
		b.Null(at + "authorizationEndpoint")
	}
	if whole && x.Method == "" {
		b.Null(at + "httpMethod")
	}
	b.OneOf(at+"httpMethod", x.Method, "GET", "POST", "PUT")
	x.HTTP.check(b, at+"oAuthHttpParameters.")
}

func (p *connectionParameters) check(b *broken, at string) {
	if p == nil {
		return
	}
	for _, of := range []struct {
		member string
		all    []connectionParameter
	}{{"headerParameters", p.Headers}, {"queryStringParameters", p.Query}, {"bodyParameters", p.Body}} {
		b.Count(at+of.member, len(of.all), 0, mostOfAKind)
		for i, one := range of.all[:min(len(of.all), mostOfAKind)] {
			one.check(b, at+of.member+"."+strconv.Itoa(i+1)+".member.", of.member == "headerParameters")
		}
	}
}

func (p connectionParameter) check(b *broken, at string, header bool) {
	b.Length(at+"key", p.Key, 1, maxWord)
	if header {
		b.Fits(at+"key", p.Key, headerKey)
	}
	if len(p.Value) > maxWord {
		b.Value(at+"value", "***", "have length less than or equal to 512")
	}
}

// auth is what was written as connections keep it. What an update leaves out stays as
// it was; a secret cannot be left out, since it is never told.
func (p *authParameters) auth(kind connection.Type, old connection.Auth) (connection.Auth, error) {
	out := connection.Auth{Type: kind}
	if old.Type != kind {
		old = connection.Auth{}
	}
	lacks := ""
	switch {
	case kind == connection.Basic && p.Basic != nil:
		out.User, out.Password = or(p.Basic.User, old.User), p.Basic.Password
		if out.Password == "" {
			lacks = "BasicAuthParameters.Password"
		}
	case kind == connection.APIKey && p.APIKey != nil:
		out.Name, out.Value = or(p.APIKey.Name, old.Name), p.APIKey.Value
		if out.Value == "" {
			lacks = "ApiKeyAuthParameters.ApiKeyValue"
		}
	case kind == connection.OAuth && p.OAuth != nil:
		out.OAuth = p.OAuth.client(old.OAuth)
		if out.OAuth.Secret == "" {
			lacks = "OAuthParameters.ClientParameters.ClientSecret"
		}
	default:
		return out, invalid("Parameter AuthParameters.%s must be specified for AuthorizationType %s.", partOf[kind], kind)
	}
	if lacks != "" {
		return out, invalid("Parameter AuthParameters.%s must be specified for AuthorizationType %s: secrets are written anew with every change of AuthParameters.", lacks, kind)
	}
	out.Parameters = old.Parameters
	if p.Invocation != nil {
		out.Parameters = p.Invocation.parameters()
	}
	all := []connection.Parameters{out.Parameters}
	if out.OAuth != nil {
		all = append(all, out.OAuth.Parameters)
	}
	if one := secretWithout(all); one != "" {
		return out, invalid("The value of the parameter %s must be specified: it is a secret, and secrets are written anew with every change of AuthParameters.", one)
	}
	return out, nil
}

// partOf is the part of AuthParameters that a type needs.
var partOf = map[connection.Type]string{
	connection.Basic: "BasicAuthParameters", connection.APIKey: "ApiKeyAuthParameters", connection.OAuth: "OAuthParameters",
}

// secretWithout is the name of a secret parameter whose value is not known.
func secretWithout(all []connection.Parameters) string {
	for _, p := range all {
		for _, one := range slices.Concat(p.Header, p.Query, p.Body) {
			if one.Secret && one.Value == "" {
				return one.Name
			}
		}
	}
	return ""
}

func (x *oauthParameters) client(old *connection.Client) *connection.Client {
	if old == nil {
		old = &connection.Client{}
	}
	out := &connection.Client{ID: old.ID, Endpoint: or(x.Endpoint, old.Endpoint), Method: or(x.Method, old.Method), Parameters: old.Parameters}
	if x.Client != nil {
		out.ID, out.Secret = or(x.Client.ID, old.ID), x.Client.Secret
	}
	if x.HTTP != nil {
		out.Parameters = x.HTTP.parameters()
	}
	return out
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func (p *connectionParameters) parameters() connection.Parameters {
	return connection.Parameters{Header: kept(p.Headers), Query: kept(p.Query), Body: kept(p.Body)}
}

func kept(list []connectionParameter) (out []connection.Parameter) {
	for _, p := range list {
		out = append(out, connection.Parameter{Name: p.Key, Value: p.Value, Secret: p.Secret})
	}
	return out
}

// showAuth is what is told of how a connection authorizes.
func showAuth(a connection.Auth) *authParameters {
	out := &authParameters{Invocation: showParameters(a.Parameters)}
	switch a.Type {
	case connection.Basic:
		out.Basic = &basicParameters{User: a.User}
	case connection.APIKey:
		out.APIKey = &apiKeyParameters{Name: a.Name}
	case connection.OAuth:
		out.OAuth = &oauthParameters{
			Client: &clientParameters{ID: a.OAuth.ID}, Endpoint: a.OAuth.Endpoint, Method: a.OAuth.Method, HTTP: showParameters(a.OAuth.Parameters),
		}
	}
	return out
}

// showParameters tells parameters; values of secrets were taken out.
func showParameters(p connection.Parameters) *connectionParameters {
	if len(p.Header)+len(p.Query)+len(p.Body) == 0 {
		return nil
	}
	return &connectionParameters{told(p.Header), told(p.Query), told(p.Body)}
}

func told(list []connection.Parameter) (out []connectionParameter) {
	for _, p := range list {
		out = append(out, connectionParameter{p.Name, p.Value, p.Secret})
	}
	return out
}
