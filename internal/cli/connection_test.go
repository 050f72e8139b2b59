package cli

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

// Who has no SDK of AWS's gives an address its authorization all the same: sealed, and
// told to nobody.
func TestAnAddressIsAuthorizedByAConnection(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	got := make(chan string, 100)
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/token" {
			user, secret, _ := r.BasicAuth()
			if err := r.ParseForm(); err != nil || user != "shop" || secret != "s3cret" || r.Form.Get("scope") != "read" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"access_token":"t-1","token_type":"Bearer","expires_in":3600}`)
			return
		}
		select {
		case got <- r.Method + " " + r.URL.String() + " " + r.Header.Get("X-Api-Key") + r.Header.Get("Authorization") + " " + r.Header.Get("X-Own"):
		default:
		}
	}))
	defer hook.Close()
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	key := filepath.Join(t.TempDir(), "crm.key")
	if err := os.WriteFile(key, []byte("k-123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	do("", "connection", "list").mustHold(t, 0, "no connections yet")
	do("", "connection", "put", "crm").mustHold(t, fail.Usage, "--api-key")
	do("", "connection", "put", "crm", "--api-key", "X-Api-Key").mustHold(t, fail.Usage, "--api-key needs a secret")
	do("", "connection", "put", "crm", "--api-key", "X-Api-Key", "--secret", "@"+key, "-H", "X-Own=7", "--query", "v=2").mustHold(t, 0, "header X-Api-Key", "authorized")
	// What is not --secret is told, and help says so.
	do("", "connection", "describe", "crm", "-o", "json").mustHold(t, 0, `"value": "7"`)
	do("", "connection", "put", "--help").mustHold(t, 0, "--token-form say is told", "secret: true", "NAME=VALUE, no secret")
	do("", "destination", "put", "crm", "--connection", "none", "--url", "https://example.org").mustHold(t, fail.NotFound, "none")
	do("", "destination", "put", "crm", "--connection", "crm", "--url", hook.URL+"/customers/*", "--method", "PUT").mustHold(t, 0, "PUT", "/customers/*", "300", "active")
	do("", "destination", "put", "crm", "--connection", "crm", "--url", hook.URL+"/people/*", "--method", "PUT", "--rate", "500").mustHold(t, 0, "/people/*", "500")
	file := filepath.Join(t.TempDir(), "shop.yaml")
	text := `
connections:
  billing: {oauth: {id: shop, secret: s3cret, endpoint: "HOOK/token", parameters: {body: [{name: scope, value: read}]}}}
destinations:
  billing: {connection: billing, url: "HOOK/bills"}
rules:
  default/sync:
    pattern: {source: [app]}
    targets:
      crm: {to: "destination:crm", path: [$.detail.id]}
      billing: {to: "destination:billing"}
`
	write := func(from, to string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(strings.NewReplacer("HOOK", hook.URL, from, to).Replace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("", "")
	do("", "apply", "-f", file, "--diff").mustHold(t, 0, "connection", "would be created")
	do("", "apply", "-f", file).mustHold(t, 0, "destination", "created")
	if r := do("", "apply", "-f", file, "-o", "csv"); strings.Count(r.out, "unchanged") != 3 {
		t.Errorf("the second time: %s", r.out)
	}
	putEvent(t, n, "default", `{"source":"app","detail-type":"Placed","detail":{"id":12}}`)
	want := map[string]bool{"PUT /people/12?v=2 k-123 7": true, "POST /bills Bearer t-1 ": true}
	for len(want) > 0 {
		select {
		case call := <-got:
			if !want[call] {
				t.Logf("a call came again, or %s", call)
			}
			delete(want, call)
		case <-ctx.Done():
			t.Fatalf("these did not come: %v", want)
		}
	}
	for _, kind := range []string{"connection", "destination", "rule"} {
		if r := do("", kind, "list", "-o", "json"); strings.Contains(r.out, "k-123") || strings.Contains(r.out, "s3cret") {
			t.Errorf("secrets are told: %s", r.out)
		}
	}
	r := do(`rules: {sync: {pattern: {source: [app]}, targets: {crm: {to: "destination:crm", path: [$.detail.id]}}}}`, "rule", "try", "-")
	r.mustHold(t, 0, "PUT "+hook.URL+"/people/12?v=%2A%2A%2A", "authorized by its connection", "X-Own: ***")

	write("s3cret", "other")
	do("", "apply", "-f", file, "--diff").mustHold(t, 0, "would change", "auth")
	do("", "apply", "-f", file).mustHold(t, 0, "changed", "auth")
	write("/bills\"", "/bills\", rate: 7")
	do("", "apply", "-f", file).mustHold(t, 0, "changed", "rate")
	do("connections: {x: {api_key: {name: a, value: b}, basic: {user: u, password: p}}}", "apply", "-f", "-").mustHold(t, fail.Usage, "one of api_key, basic and oauth")
	do("connections: {crm: {parameters: {query: [{name: a, value: b}]}}}", "apply", "-f", "-").mustHold(t, fail.Usage, "parameters stand beside")

	do("", "connection", "deauthorize", "crm").mustHold(t, 0, "deauthorized")
	do("", "destination", "describe", "crm").mustHold(t, 0, "inactive")
	do("", "destination", "list", "--connection", "billing").mustHold(t, 0, "/bills")
	do("", "connection", "delete", "crm", "none", "--force").mustHold(t, fail.Partly, "none", "deleted")
	do("", "connection", "describe", "crm").mustHold(t, fail.NotFound, "crm")
	do("", "destination", "delete", "crm", "--force").mustHold(t, 0, "deleted")
	do("", "destination", "describe", "crm").mustHold(t, fail.NotFound, "crm")
}

// A connection that destinations have, and a destination that rules call, went without a
// word, and calls waited, or were dropped.
func TestConnectionsAndDestinationsInUseAreNotDeleted(t *testing.T) {
	do := commands(t, withHTTP(t, ottla.Options{}))
	const file = `
buses: {shop: {}}
connections: {crm: {api_key: {name: X-Api-Key, value: k}}}
destinations: {crm: {connection: crm, url: "https://example.org/in"}}
rules:
  shop/sync: {pattern: {source: [app]}, targets: {crm: "destination:crm"}}
  default/arn: {pattern: {source: [app]}, targets: {crm: "arn:aws:events:us-east-1:123456789012:api-destination/crm/0"}}
`
	do(file, "apply", "-f", "-").mustHold(t, 0, "created")
	const next = "change or delete that first; --force deletes it all the same"
	do("", "connection", "delete", "crm").mustHold(t, fail.Failed, "cannot delete connection crm", "connection crm: it is used by api-destination crm", next)
	do("", "destination", "delete", "crm").mustHold(t, fail.Failed, "cannot delete destination crm", "api-destination crm: it is used by rule default/arn, rule shop/sync", next)
	do("", "connection", "list").mustHold(t, 0, "crm")
	do("", "rule", "delete", "arn").mustHold(t, 0)
	do("", "target", "remove", "sync", "crm", "--bus", "shop").mustHold(t, 0)
	do("", "destination", "delete", "crm").mustHold(t, 0, "deleted")
	do("", "connection", "delete", "crm").mustHold(t, 0, "deleted")
	do(file, "apply", "-f", "-").mustHold(t, 0, "created")
	do("", "connection", "delete", "crm", "--force").mustHold(t, 0, "deleted")
	do("", "destination", "describe", "crm").mustHold(t, 0, "inactive")
	do("", "destination", "delete", "crm", "--force").mustHold(t, 0, "deleted")
}
