package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ottla/internal/cli/fail"
)

// teller answers GetCallerIdentity as a node does.
func teller(t *testing.T, status int, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("Action") != "GetCallerIdentity" {
			t.Errorf("it was asked for %s", r.URL)
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

const identity = "<GetCallerIdentityResponse><GetCallerIdentityResult></GetCallerIdentityResult></GetCallerIdentityResponse>"

func TestAWSEnvSpeaksEveryShell(t *testing.T) {
	at := teller(t, http.StatusOK, identity)
	for shell, want := range map[string]string{
		"sh": "export AWS_ENDPOINT_URL=http://" + at + "\nexport AWS_REGION=us-east-1\nexport AWS_DEFAULT_REGION=us-east-1\n" +
			"export AWS_ACCESS_KEY_ID=ottla\nexport AWS_SECRET_ACCESS_KEY=ottla\n",
		"fish":       "set -gx AWS_ENDPOINT_URL http://" + at + "\n",
		"powershell": `$env:AWS_ENDPOINT_URL = "http://` + at + `"` + "\n",
		"cmd":        "set AWS_ENDPOINT_URL=http://" + at + "\n",
		"env":        "AWS_ENDPOINT_URL=http://" + at + "\n",
	} {
		r := call(t, nil, "", "aws", "env", "--http", at, "--shell", shell)
		if r.code != fail.OK || !strings.HasPrefix(r.out, want) {
			t.Errorf("%s: %+v, want %q", shell, r, want)
		}
	}
	call(t, nil, "", "aws", "env", "--http", "http://"+at, "--region", "eu-west-1", "-o", "ndjson").mustHold(t, fail.OK,
		`{"name":"AWS_ENDPOINT_URL","value":"http://`+at+`"}`, `{"name":"AWS_REGION","value":"eu-west-1"}`)
}

func TestAWSEnvSaysWhereItGotNoAnswer(t *testing.T) {
	call(t, nil, "", "aws", "env", "--http", teller(t, http.StatusNotFound, "not found")).mustHold(t, fail.Unreachable, "no Ottla answers AWS's calls", "404")
	call(t, nil, "", "aws", "env", "--http", teller(t, http.StatusOK, "hello")).mustHold(t, fail.Unreachable, "no Ottla answers")
	call(t, nil, "", "aws", "env", "--http", teller(t, http.StatusForbidden, "")).mustHold(t, fail.NotAllowed, "--insecure")
	call(t, nil, "", "aws", "env", "--http", "127.0.0.1:1").mustHold(t, fail.Unreachable, "connection refused", "ottla dev")
	call(t, nil, "", "aws", "env", "--shell", "tcsh").mustHold(t, fail.Usage, "tcsh", "fish")
	call(t, nil, "", "aws", "env", "--region", "EU West").mustHold(t, fail.Usage, "EU West")
	call(t, nil, "", "aws", "env", "-b", "10.0.0.1:9092").mustHold(t, fail.Usage, "--http")
}
