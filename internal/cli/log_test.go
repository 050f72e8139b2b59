package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ottla"
	"ottla/internal/cli/fail"
	"ottla/internal/logimport/fixture"
)

// kafkaDir unpacks a directory that a real Kafka 4.4 left; see package
// logimport.
func kafkaDir(t *testing.T) string {
	t.Helper()
	return fixture.Unpack(t, filepath.Join("..", "logimport", "testdata", "kafka-killed.tar.gz"))
}

func TestLogImportBringsKafkasRecords(t *testing.T) {
	source, data := kafkaDir(t), filepath.Join(t.TempDir(), "data")
	call(t, nil, "", "log", "import", source).mustHold(t, fail.Usage, "--data is missing")
	call(t, nil, "", "log", "import", source+"x", "--data", data).mustHold(t, fail.Failed, "nothing was imported", "cannot be listed")
	call(t, nil, "", "log", "verify", source).mustHold(t, fail.OK, "Nothing is wrong.", "0 wrong")
	call(t, nil, "", "log", "import", source, "--data", data).mustHold(t, fail.OK, "orders", "not stopped cleanly", "ottla serve --data "+data, "gone-0")
	call(t, nil, "", "log", "import", source, "--data", data).mustHold(t, fail.Failed, "is not empty")
	call(t, nil, "", "log", "verify", data).mustHold(t, fail.OK, "Nothing is wrong.")
	n, err := ottla.Start(t.Context(), ottla.Options{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	got := call(t, n, "", "consume", "orders", "--exit", "-o", "ndjson")
	got.mustHold(t, fail.OK, `"key-0"`)
	if lines := strings.Count(got.out, "\n"); lines != 150 {
		t.Errorf("%d records of orders, want 150", lines)
	}
	call(t, nil, "", "log", "verify", data).mustHold(t, fail.Failed, "a node runs on it")
	call(t, nil, "", "log", "verify", filepath.Join(data, "orders-0")).mustHold(t, fail.Failed, "a node runs on it")
	call(t, n, "", "topic", "describe", "orders").mustHold(t, fail.OK, "retention.ms")
}

func TestLogVerifyTellsWhatIsWrongAndWhere(t *testing.T) {
	source := kafkaDir(t)
	name := filepath.Join(source, "orders-0", "00000000000000000000.log")
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[80] ^= 1
	if err := os.WriteFile(name, b, 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, nil, "", "log", "verify", source).mustHold(t, fail.Failed, name, "checksum", "1 wrong")
	got := call(t, nil, "", "log", "verify", source, "-o", "json")
	got.mustHold(t, fail.Failed)
	var rows []struct {
		Severity, File, Reason string
		Byte, Offset           *int64
	}
	if err := json.Unmarshal([]byte(got.out), &rows); err != nil {
		t.Fatalf("%v: %s", err, got.out)
	}
	if len(rows) != 1 || rows[0].Severity != "wrong" || rows[0].File != name || rows[0].Byte == nil || *rows[0].Byte != 0 {
		t.Errorf("rows %+v", rows)
	}
	call(t, nil, "", "log", "verify", source+"x").mustHold(t, fail.Failed, "cannot check")
}

func TestLogDumpInEveryForm(t *testing.T) {
	source := kafkaDir(t)
	table := call(t, nil, "", "log", "dump", source)
	table.mustHold(t, fail.OK, "type=TOPIC", "type=OFFSET_COMMIT", "group=billing", "batch byte=0", "aborted byte=0")
	ndjson := call(t, nil, "", "log", "dump", source, "-o", "ndjson", "--records", "-n", "500")
	ndjson.mustHold(t, fail.OK)
	lines := strings.Split(strings.TrimSpace(ndjson.out), "\n")
	for _, line := range lines {
		var row map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil || row["file"] == nil || row["kind"] == nil {
			t.Fatalf("%v: %s", err, line)
		}
	}
	if len(lines) != 500 {
		t.Errorf("%d lines, want 500", len(lines))
	}
	var all []map[string]any
	list := call(t, nil, "", "log", "dump", filepath.Join(source, "orders-0"), "-o", "json")
	if err := json.Unmarshal([]byte(list.out), &all); err != nil || len(all) == 0 {
		t.Errorf("json: %d rows, %v", len(all), err)
	}
	empty := t.TempDir()
	if got := call(t, nil, "", "log", "dump", empty, "-o", "json"); got.out != "[]\n" {
		t.Errorf("json of nothing: %q", got.out)
	}
	call(t, nil, "", "log", "dump", filepath.Join(source, "orders-0"), "-o", "csv").mustHold(t, fail.OK, "file,kind,byte,text")
	call(t, nil, "", "log", "dump", filepath.Join(source, "meta.properties")).mustHold(t, fail.Failed, "not a file of a log directory")
	name := filepath.Join(source, "orders-0", "leader-epoch-checkpoint")
	if err := os.WriteFile(name, []byte("zero"), 0o644); err != nil {
		t.Fatal(err)
	}
	call(t, nil, "", "log", "dump", name).mustHold(t, fail.Failed, "bad reason=")
}
