package events

import (
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"ottla/internal/cli/ask"
	"ottla/internal/cli/fail"
	"ottla/internal/cli/native"
	"ottla/internal/cli/out"
	"ottla/internal/event/connection"
	"ottla/internal/gateway/rest"
)

// ConnectionCommand is the noun connection: how others are authorized at.
func ConnectionCommand(o *ask.Options) *cobra.Command {
	list := connectionList(o)
	c := ask.Noun("connection", "connections", "Connections: how calls of API destinations are authorized",
		connectionPut(o), list, connectionDescribe(o), connectionDeauthorize(o), ask.DeleteUnused(o, "connection", "delete NAME...", "Delete connections that no destination has", "delete it although destinations have it: what these are to call waits"))
	return ask.PluralLists(c, list)
}

func connectionTable() *out.Table {
	return &out.Table{Empty: "no connections yet: make one with \"ottla connection put NAME …\"", Columns: []out.Column{
		{Field: "name", Title: "CONNECTION"}, {Field: "authorization", Title: "AUTHORIZATION"}, {Field: "state", Title: "STATE"}, {Field: "reason", Title: "REASON"},
		{Field: "description", Title: "DESCRIPTION"}, {Field: "api_key"}, {Field: "basic"}, {Field: "oauth"}, {Field: "parameters"}, {Field: "arn"},
		{Field: "authorized"}, {Field: "created"}, {Field: "modified"},
	}}
}

func addConnection(t *out.Table, c *rest.Connection) {
	by := ""
	switch {
	case c.APIKey != nil:
		by = "header " + c.APIKey.Name
	case c.Basic != nil:
		by = "user " + c.Basic.User
	case c.OAuth != nil:
		by = "tokens of " + c.OAuth.Endpoint
	}
	t.Add(c.Name, by, strings.ToLower(c.State), ask.OrNil(c.Reason), ask.OrNil(c.Description), c.APIKey, c.Basic, c.OAuth, c.Parameters, c.ARN,
		ask.TimeOf(c.AuthorizedMs), ask.TimeOf(c.CreatedMs), ask.TimeOf(c.ModifiedMs))
}

// connectionFlags say how calls are authorized.
type connectionFlags struct {
	description, apiKey, user, tokenURL, clientID, method string
	secret                                                string
	headers, query, body, tokenForm                       []string
}

func connectionPut(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var x connectionFlags
	c := &cobra.Command{
		Use:   "put NAME",
		Short: "Make a connection, or put another authorization in its place",
		Long: "Make a connection, or put another authorization in the place of its own: --api-key with the\n" +
			"name of a header, --user, or --token-url and --client-id. What is secret is read from --secret:\n" +
			"@FILE, or - for standard input. It is sealed, and told to nobody; what -H, --query, --body\n" +
			"and --token-form say is told to who may look at connections. Where that is secret, too, put\n" +
			"the connection with \"ottla apply\", which takes secret: true beside a value. A connection that\n" +
			"is so already stays as it is.",
		Example: "  ottla connection put crm --api-key X-Api-Key --secret @crm.key\n" +
			"  ottla connection put billing --token-url https://auth.example.org/token --client-id shop --secret -",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			order, err := x.order(o.In)
			if err != nil {
				return err
			}
			var made rest.Connection
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot put connection "+args[0], http.MethodPut, native.Path("connection", args[0]), p.Query(), order, &made); err != nil {
				return err
			}
			t := connectionTable()
			t.One = true
			addConnection(t, &made)
			return o.Print(t)
		},
	}
	p.Bind(c)
	f := c.Flags()
	f.StringVar(&x.description, "description", "", "what it is for")
	f.StringVar(&x.apiKey, "api-key", "", "name of the header that has the secret")
	f.StringVar(&x.user, "user", "", "user whose password is the secret (Basic)")
	f.StringVar(&x.tokenURL, "token-url", "", "address that gives tokens (OAuth, client credentials)")
	f.StringVar(&x.clientID, "client-id", "", "client whose secret it is (OAuth)")
	f.StringVar(&x.method, "token-method", http.MethodPost, "how tokens are asked for: POST, PUT or GET")
	f.StringArrayVar(&x.tokenForm, "token-form", nil, "field of the form by which tokens are asked for, as scope=read, no secret; may be repeated")
	f.StringVar(&x.secret, "secret", "", "the key, the password or the client's secret: @FILE, - for standard input, or itself")
	f.StringArrayVarP(&x.headers, "header", "H", nil, "header of every call, as NAME=VALUE, no secret; may be repeated")
	f.StringArrayVar(&x.query, "query", nil, "parameter of every call, as NAME=VALUE, no secret; may be repeated")
	f.StringArrayVar(&x.body, "body", nil, "member of every call's body, as NAME=VALUE, no secret; may be repeated")
	return c
}

// order is what the flags say.
func (x *connectionFlags) order(in io.Reader) (*rest.ConnectionOrder, error) {
	out := &rest.ConnectionOrder{Description: x.description}
	text, err := textOf("--secret", x.secret, in)
	if err != nil {
		return nil, err
	}
	secret := strings.TrimRight(string(text), "\r\n") // files end so
	var given []string
	if x.apiKey != "" {
		given, out.APIKey = append(given, "--api-key"), &rest.APIKey{Name: x.apiKey, Value: secret}
	}
	if x.user != "" {
		given, out.Basic = append(given, "--user"), &rest.Basic{User: x.user, Password: secret}
	}
	if x.tokenURL != "" || x.clientID != "" {
		given, out.OAuth = append(given, "--token-url"), &connection.Client{ID: x.clientID, Secret: secret, Endpoint: x.tokenURL, Method: x.method}
		if out.OAuth.Parameters.Body, err = connectionParameters("token-form", x.tokenForm); err != nil {
			return nil, err
		}
	}
	switch {
	case len(given) != 1:
		return nil, fail.Usagef("how are calls authorized? give one of --api-key, --user, and --token-url with --client-id")
	case secret == "":
		return nil, fail.Usagef("%s needs a secret: give --secret @FILE, or --secret - for standard input", given[0])
	}
	for flag, list := range map[string]struct {
		from []string
		into *[]connection.Parameter
	}{"header": {x.headers, &out.Parameters.Header}, "query": {x.query, &out.Parameters.Query}, "body": {x.body, &out.Parameters.Body}} {
		if *list.into, err = connectionParameters(flag, list.from); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func connectionParameters(flag string, all []string) (out []connection.Parameter, err error) {
	for _, text := range all {
		called, value, ok := strings.Cut(text, "=")
		if !ok || called == "" {
			return nil, fail.Usagef("--%s %q: want NAME=VALUE", flag, text)
		}
		out = append(out, connection.Parameter{Name: called, Value: value})
	}
	return out, nil
}

func connectionList(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "list",
		Short: "List connections",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, query := connectionTable(), p.Query()
			return ask.PrintPages(cmd.Context(), o, t, p.HTTP, "cannot list connections", "/connection", query, func(page *rest.Connections) string {
				for i := range page.Connections {
					addConnection(t, &page.Connections[i])
				}
				return page.Next
			})
		},
	}
	p.Bind(c)
	return c
}

func connectionDescribe(o *ask.Options) *cobra.Command {
	return oneConnection(o, "describe NAME", "Show a connection, without its secrets", "cannot describe connection ", http.MethodGet)
}

func connectionDeauthorize(o *ask.Options) *cobra.Command {
	return oneConnection(o, "deauthorize NAME", "Remove a connection's secrets: nothing is called with it until it is put again", "cannot deauthorize connection ", http.MethodPost, "deauthorize")
}

// oneConnection is a command that shows what a call answers.
func oneConnection(o *ask.Options, use, short, failing, method string, more ...string) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x rest.Connection
			path := native.Path(append([]string{"connection", args[0]}, more...)...)
			if err := o.Ask(cmd.Context(), p.HTTP, failing+args[0], method, path, p.Query(), nil, &x); err != nil {
				return err
			}
			t := connectionTable()
			t.One = true
			addConnection(t, &x)
			return o.Print(t)
		},
	}
	p.Bind(c)
	return c
}

// DestinationCommand is the noun destination: addresses that targets call.
func DestinationCommand(o *ask.Options) *cobra.Command {
	list := destinationList(o)
	c := ask.Noun("destination", "destinations", "API destinations: addresses with a connection",
		destinationPut(o), list, destinationDescribe(o), ask.DeleteUnused(o, "destination", "delete NAME...", "Delete API destinations that no target calls", "delete it although targets call it: what waits for them is dropped"))
	return ask.PluralLists(c, list)
}

func destinationTable() *out.Table {
	return &out.Table{Empty: "no API destinations yet: make one with \"ottla destination put NAME --connection … --url …\"", Columns: []out.Column{
		{Field: "name", Title: "DESTINATION"}, {Field: "method", Title: "METHOD"}, {Field: "url", Title: "URL"}, {Field: "connection", Title: "CONNECTION"},
		{Field: "rate", Title: "CALLS/S", Right: true}, {Field: "state", Title: "STATE"}, {Field: "description"}, {Field: "arn"}, {Field: "created"}, {Field: "modified"},
	}}
}

func addDestination(t *out.Table, d *rest.Destination) {
	rate := d.Rate
	if rate == 0 {
		rate = connection.DefaultRate
	}
	t.Add(d.Name, d.Method, d.URL, d.Connection, rate, strings.ToLower(d.State), ask.OrNil(d.Description), d.ARN, ask.TimeOf(d.CreatedMs), ask.TimeOf(d.ModifiedMs))
}

func destinationPut(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var x rest.DestinationOrder
	c := &cobra.Command{
		Use:     "put NAME --connection CONNECTION --url URL",
		Short:   "Make an API destination, or have it be another",
		Example: "  ottla destination put crm --connection crm --url 'https://crm.example.org/customers/*' --method PUT --rate 20\n  ottla rule put sync --bus shop --pattern @sync.json --to destination:crm",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if x.Connection == "" || x.URL == "" {
				return fail.Usagef("what is called, and how is it authorized? give --url and --connection")
			}
			var made rest.Destination
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot put destination "+args[0], http.MethodPut, native.Path("destination", args[0]), p.Query(), &x, &made); err != nil {
				return err
			}
			return showDestination(o, &made)
		},
	}
	p.Bind(c)
	f := c.Flags()
	f.StringVar(&x.Connection, "connection", "", "connection that authorizes its calls")
	f.StringVar(&x.URL, "url", "", "what is called; targets fill in each *")
	f.StringVar(&x.Method, "method", http.MethodPost, "method of the calls")
	f.Int32Var(&x.Rate, "rate", 0, "calls a second at most (300)")
	f.StringVar(&x.Description, "description", "", "what it is for")
	return c
}

func showDestination(o *ask.Options, d *rest.Destination) error {
	t := destinationTable()
	t.One = true
	addDestination(t, d)
	return o.Print(t)
}

func destinationList(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	var of string
	c := &cobra.Command{
		Use:   "list",
		Short: "List API destinations",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t, query := destinationTable(), p.Query()
			query.Set("connection", of)
			return ask.PrintPages(cmd.Context(), o, t, p.HTTP, "cannot list destinations", "/destination", query, func(page *rest.Destinations) string {
				for i := range page.Destinations {
					addDestination(t, &page.Destinations[i])
				}
				return page.Next
			})
		},
	}
	p.Bind(c)
	c.Flags().StringVar(&of, "connection", "", "only those of this connection")
	return c
}

func destinationDescribe(o *ask.Options) *cobra.Command {
	var p ask.PlaceFlags
	c := &cobra.Command{
		Use:   "describe NAME",
		Short: "Show an API destination",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x rest.Destination
			if err := o.Ask(cmd.Context(), p.HTTP, "cannot describe destination "+args[0], http.MethodGet, native.Path("destination", args[0]), p.Query(), nil, &x); err != nil {
				return err
			}
			return showDestination(o, &x)
		},
	}
	p.Bind(c)
	return c
}
