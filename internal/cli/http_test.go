package cli

import (
	"strings"
	"testing"

	"ottla"
	"ottla/internal/cli/fail"
)

// Where a node answers HTTP is found by -b: nobody has to say it twice.
func TestTheHTTPPortIsFoundByTheKafkaPort(t *testing.T) {
	n := withHTTP(t, ottla.Options{})
	call(t, n, "", "bus", "create", "shop").mustHold(t, 0, "shop")
	call(t, n, "", "queue", "create", "billing").mustHold(t, 0)
	call(t, n, "", "rule", "put", "all", "--bus", "shop", "--pattern", `{"source":["app"]}`, "--to", "queue:billing").mustHold(t, 0)
	call(t, n, "", "event", "put", "shop", "Placed", `{"total":150}`, "--source", "app").mustHold(t, 0)
	call(t, n, "", "event", "tail", "shop", "--from", "-1", "--exit").mustHold(t, 0, "Placed")
	call(t, n, "", "doctor", "events").mustHold(t, 0, "1 rules took events")
	call(t, n, "", "doctor", "--only", "D23").mustHold(t, 0, "1 rules took events")
	call(t, n, "", "doctor", "--only", "D23", "--http", "").mustHold(t, 0, "skipped")
	if r := call(t, n, "", "aws", "env"); r.code != 0 || !strings.Contains(r.out, n.HTTPAddr()) {
		t.Errorf("%d\n%s\n%s", r.code, r.out, r.err)
	}
}

func TestANodeWithoutAnHTTPPortSaysSo(t *testing.T) {
	n := node(t)
	call(t, n, "", "bus", "list").mustHold(t, fail.Usage, "no node behind "+n.Addr()+" says where it answers", "--http HOST:PORT")
}
