package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ottla/internal/cli/fail"
)

func TestEventsArePutAndWatched(t *testing.T) {
	n, do := httpNode(t)
	call(t, n, "", "topic", "create", "shop", "--partitions", "1").mustHold(t, 0)
	do("", "event", "put", "shop", "OrderPlaced", `{"id":1,"total":120}`, "--source", "com.shop", "--subject", "order-1", "--id", "e-1",
		"--time", "2026-11-26T16:00:00Z", "--key", "customer-4", "--attribute", "tenant=a").mustHold(t, 0, "e-1", "shop")
	do("{\"id\":2,\"total\":5}\nplain text\n\n", "event", "put", "shop", "OrderPlaced", "-").mustHold(t, 0, "shop")
	r := do("", "event", "tail", "shop", "--exit", "-o", "ndjson")
	lines := strings.Split(strings.TrimSpace(r.out), "\n")
	if want := `{"specversion":"1.0","id":"e-1","source":"com.shop","type":"OrderPlaced","subject":"order-1","time":"2026-11-26T16:00:00Z",` +
		`"datacontenttype":"application/json","partitionkey":"customer-4","tenant":"a","data":{"id":1,"total":120}}`; len(lines) != 3 || lines[0] != want {
		t.Errorf("there is\n%s\n%s", r.out, r.err)
	}
	var last struct{ ID, Source, DataContentType, Data string }
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.ID == "" || last.Data != "plain text" || last.DataContentType != "text/plain" {
		t.Errorf("the last one is %+v, %v", last, err)
	}
	do("", "event", "tail", "shop", "--from", "start", "-n", "1", "--pattern", `{"data":{"total":[{"numeric":["<",100]}]}}`).mustHold(t, 0, `"data":{"id":2,"total":5}`)
	if r := do("", "event", "tail", "shop", "--exit", "--where", "body.id=1"); strings.Count(r.out, "\n") != 1 || !strings.Contains(r.out, "e-1") {
		t.Errorf("where body.id=1 there is %q", r.out)
	}
}

func TestEventsThatCannotBeSayWhy(t *testing.T) {
	_, do := httpNode(t)
	do("", "event", "put", "shop", "T", "x", "--attribute", "Tenant=a").mustHold(t, fail.Usage, `"Tenant" is no name of an extension attribute`)
	do("", "event", "put", "shop", "T", "x", "--time", "noon").mustHold(t, fail.Usage, "want RFC 3339")
	do("", "event", "tail", "nowhere", "--exit").mustHold(t, fail.NotFound, "there is no such topic", "ottla topic create")
	do("", "event", "tail", "shop", "--pattern", "{").mustHold(t, fail.Usage, "why: pattern, line 1, column 2")
	do("", "event", "tail", "default", "--exit").mustHold(t, 0)
}

// A name that is mistyped once became a topic that nobody read, where topics are made by
// themselves, and the command said that all was well.
func TestEventsForWhatIsNotThereAreRefused(t *testing.T) {
	_, do := httpNode(t)
	do("", "event", "put", "shp", "OrderPlaced", "{}").mustHold(t, fail.NotFound, "cannot put events into shp", "there is no bus and no topic shp", "ottla bus create shp")
	do("{}\n", "event", "put", "shp", "OrderPlaced", "-").mustHold(t, fail.NotFound, "there is no bus and no topic shp")
	if r := do("", "topic", "list", "-o", "name"); strings.Contains(r.out, "shp") {
		t.Errorf("the topics are\n%s", r.out)
	}
}

func TestDataOfEventsIsWhatItLooksLike(t *testing.T) {
	_, do := httpNode(t)
	do("", "event", "put", "default", "T", `{"id":1`).mustHold(t, fail.Usage, "DATA: it begins as a JSON object and is none (unexpected end of JSON input)", "--content-type text/plain")
	do("{}\n\n{\"id\":}\n", "event", "put", "default", "T", "-").mustHold(t, fail.Usage, "line 3: it begins as a JSON object and is none")
	do("", "event", "put", "default", "T", `{{name}}`, "--content-type", "text/plain").mustHold(t, 0)
	do("", "event", "put", "default", "T", "[x] done").mustHold(t, 0)
	file := filepath.Join(t.TempDir(), "order.json")
	do("", "event", "put", "default", "T", "@"+file).mustHold(t, fail.Failed, "cannot read DATA", "no such file")
	if err := os.WriteFile(file, []byte(`{"from":"a file"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	do("", "event", "put", "default", "T", "@"+file).mustHold(t, 0)
	do("", "event", "tail", "default", "--exit").mustHold(t, 0, `"data":"{{name}}"`, `"data":"[x] done"`, `"data":{"from":"a file"}`)
}
