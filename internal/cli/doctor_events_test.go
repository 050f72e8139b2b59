package cli

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ottla"
	"ottla/internal/cli/fail"
)

func TestTheDoctorExaminesRules(t *testing.T) {
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) }))
	defer hook.Close()
	n := withHTTP(t, ottla.Options{})
	do := commands(t, n)
	do("", "doctor", "events").mustHold(t, 0, "ok       D23  rules that take nothing", "ok       D27", "0 failures")
	do("", "bus", "create", "shop").mustHold(t, 0)
	do("", "bus", "create", "audit").mustHold(t, 0)
	do("", "queue", "create", "billing").mustHold(t, 0)
	do("", "rule", "put", "big", "--bus", "shop", "--pattern", `{"detail":{"totl":[{"numeric":[">=",100]}]}}`, "--to", "queue:billing", "--to", "bus:audit").mustHold(t, 0)
	do("", "rule", "put", "hook", "--bus", "shop", "--pattern", `{"source":["app"]}`, "--to", hook.URL).mustHold(t, 0)
	do("", "rule", "put", "back", "--bus", "audit", "--pattern", `{"source":["app"]}`, "--to", "bus:shop").mustHold(t, 0)
	do("", "event", "put", "shop", "Placed", `{"total":150}`, "--source", "app", "--id", "e-1").mustHold(t, 0)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r := do("", "doctor", "events")
	for !strings.Contains(r.out, "1 of 1 calls within the last hour failed") && ctx.Err() == nil {
		r = do("", "doctor", "events") // the call is noted soon
	}
	r.mustHold(t, fail.Failed,
		"warn     D23", "rule shop/big takes none of the last 1 events of its bus", "try: ottla event tail shop",
		"rule shop/big asks for detail.totl, which none of the last 1 events has",
		"events that fit all of the rules audit/back, shop/big go round: audit -> shop -> audit",
		"target billing of rule shop/big has no dead letters", "target shop of rule audit/back has no dead letters",
		"fail     D27", "HTTP_400")
	if strings.Contains(r.out, "D01") || strings.Contains(r.out, "see \"ottla doctor events\"") {
		t.Errorf("it tells of more, or not of all:\n%s", r.out)
	}
	do("", "doctor", "--only", "d26").mustHold(t, 0, "; and 3 more: see \"ottla doctor events\"")
	do("", "doctor", "events", "--last", "0").mustHold(t, fail.Usage, "--last")
	do("", "explain", "D25").mustHold(t, 0, "16 buses")
}
