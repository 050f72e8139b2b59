package cli

import (
	"encoding/json"
	"testing"
)

func TestFeaturesAreListedWithTheirLevels(t *testing.T) {
	n := node(t)
	call(t, n, "", "cluster", "features").mustHold(t, 0, "FEATURE", "LEVEL", "SUPPORTED", "metadata.version", "kraft.version", "0-1")
	type row struct {
		Feature                string
		Level, Lowest, Highest int
	}
	var rows []row
	if r := call(t, n, "", "cluster", "features", "-o", "json"); json.Unmarshal([]byte(r.out), &rows) != nil {
		t.Fatalf("not a list: %s%s", r.out, r.err)
	}
	got := map[string]row{}
	for _, r := range rows {
		got[r.Feature] = r
	}
	if r := got["metadata.version"]; r.Level != 33 || r.Lowest != 33 || r.Highest != 33 {
		t.Errorf("metadata.version: %+v", r)
	}
	if r := got["transaction.version"]; r.Level != 2 || r.Lowest != 0 || r.Highest != 2 {
		t.Errorf("transaction.version: %+v", r)
	}
}
