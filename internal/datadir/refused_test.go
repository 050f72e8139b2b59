package datadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ottla/internal/uuid"
)

// What an operator reads, word for word: what it is, then what to do.
func TestRefusalsReadAsSentences(t *testing.T) {
	f := realFS(t)
	base := t.TempDir()
	at := func(name string) string { return filepath.Join(base, name) }
	prepare := func(name string, files ...string) string {
		t.Helper()
		for _, file := range files {
			full := filepath.Join(at(name), file)
			if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(full, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return at(name)
	}
	own := func(name string) string {
		t.Helper()
		d, err := Open(f, at(name), Options{ClusterID: "C", NodeID: 7, NewID: ids()})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	newer := own("newer")
	text := formatMark(mark{format: 9, identity: identity{"C", 7, uuid.UUID{1}}})
	if err := os.WriteFile(filepath.Join(newer, markName), text, 0o644); err != nil {
		t.Fatal(err)
	}
	prepare("plain", "x")
	for _, tt := range []struct {
		dir  string
		o    Options
		want string
	}{
		{own("cluster"), Options{ClusterID: "D", NodeID: -1}, "DIR belongs to cluster C, and this node is to be of cluster D. Name the directory of this cluster, or leave the cluster id out to go on with the one it has."},
		{own("node"), Options{NodeID: 8}, "DIR belongs to node 7, and this is to be node 8. Name the directory of node 8, or set node.id to 7."},
		{newer, anyOne(), "DIR has format 9, and this version of Ottla knows formats up to 1. Start it with the version that wrote it, or a later one."},
		{prepare("kafka", "orders-0/x"), anyOne(), "DIR holds logs of Apache Kafka (orders-0) and no ottla.properties of ours. Name an empty directory; `ottla log import` brings Kafka's logs into one."},
		{prepare("importing", ImportMarker, "orders-0/x"), anyOne(), "DIR holds an import of Kafka's logs that did not finish. Run `ottla log import` into it again: it starts anew."},
		{prepare("foreign", "notes.txt"), anyOne(), "DIR is not empty (notes.txt) and was not made by Ottla. Name an empty directory or one that does not exist yet."},
		{filepath.Join(at("plain"), "x"), anyOne(), "DIR is a file. Name a directory, or a path where one can be made."},
	} {
		_, err := Open(f, tt.dir, tt.o)
		if err == nil {
			t.Errorf("%s was taken", tt.dir)
			continue
		}
		if got := strings.Replace(err.Error(), "data directory "+tt.dir, "DIR", 1); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

func TestPropertiesRoundTrip(t *testing.T) {
	text := formatProperties("Why.", property{"a", "1"}, property{"b.c", "x=y"})
	if want := "# Why.\na=1\nb.c=x=y\n"; string(text) != want {
		t.Errorf("got %q, want %q", text, want)
	}
	m, err := parseProperties(append(text, " \n! another comment\n  d =  5  \n"...))
	if err != nil || len(m) != 3 || m["a"] != "1" || m["b.c"] != "x=y" || m["d"] != "5" {
		t.Errorf("got %v, %v", m, err)
	}
	for _, bad := range []string{"novalue\n", "a=1\na=2\n"} {
		if m, err := parseProperties([]byte(bad)); err == nil {
			t.Errorf("parseProperties(%q) = %v, want an error", bad, m)
		}
	}
}

// A file that is far too large to be one of ours is damage, and is not read.
func TestHugePropertiesFileIsDamage(t *testing.T) {
	f := realFS(t)
	dir := made(t, f)
	if err := os.Truncate(filepath.Join(dir, markName), maxPropertiesBytes+1); err != nil {
		t.Fatal(err)
	}
	refused(t, f, dir, anyOne(), Damaged, markName)
	if err := os.Remove(filepath.Join(dir, markName)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, markName), 0o755); err != nil {
		t.Fatal(err)
	}
	refused(t, f, dir, anyOne(), Damaged, markName)
}

func TestWhatAnEmptyDirectoryMayHold(t *testing.T) {
	for name, want := range map[string]bool{
		"orders-0": true, "my.topic-12": true, "orders-0.0123456789abcdef-delete": true, "a-b-3.x-stray": true,
		"orders": false, "-": false, "orders-": false, "orders-x": false, "-0": false,
	} {
		if got := partitionDir.MatchString(name); got != want {
			t.Errorf("%q counts as a partition directory: %v, want %v", name, got, want)
		}
	}
}
