package datadir

import (
	"os"
	"path/filepath"
	"testing"

	"ottla/internal/uuid"
)

// An import fills a directory under its marker and then makes it ours; a plain
// directory of Kafka is not taken that way.
func TestAnImportMakesItsDirectoryOurs(t *testing.T) {
	f, dir := realFS(t), t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "orders-0"), 0o755); err != nil {
		t.Fatal(err)
	}
	o := Options{ClusterID: "C", NodeID: 3, Import: true, NewID: func() uuid.UUID { return uuid.UUID{9} }}
	if _, err := Open(f, dir, o); err == nil {
		t.Fatal("a directory without the marker was taken")
	}
	if err := os.WriteFile(filepath.Join(dir, ImportMarker), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(f, dir, anyOne()); err == nil {
		t.Fatal("a half import was taken by a node")
	}
	d, err := Open(f, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	if !d.Fresh || d.DirectoryID != (uuid.UUID{9}) || d.NodeID != 3 || d.ClusterID != "C" {
		t.Errorf("taken as %+v", d)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	// The mark decides from here on, marker or not.
	again, err := Open(f, dir, anyOne())
	if err != nil {
		t.Fatal(err)
	}
	if again.Fresh {
		t.Error("founded twice")
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}
